"""Word vectors from a transformer: what it knows of each word, in a table that a model without a transformer can start from.

The vector of a token is the mean over its pieces, of their rows in the transformer's table or of their states in one of its layers; that of
a word is the mean over its tokens in the data. Principal components make the vectors short, and one factor gives their numbers the size
that models start from.
Letters: N tokens of a batch, V words, H numbers of a row or state, D numbers of a vector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from relsift.encoders.huggingface import HuggingFaceEncoder, pooled, read_subwords
from relsift.encoding.batch import Batch, collate
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, examples_of
from relsift.encoding.subwords import SubwordInput
from relsift.encoding.tokenizers import subwords_of
from relsift.encoding.types import EntityTypes
from relsift.errors import ConfigError, DataError, require
from relsift.files import replaced_file
from relsift.schema import Sentence
from relsift.training.transformer_weights import fill_transformer

PIECES_AT_ONCE = 8192  # padding counted: bounds the memory
SPREAD = 0.3  # root mean square of the numbers of all vectors: random ones of our models have 0.15, published ones 0.4 to 0.6


@dataclass(frozen=True)
class WordTable:
    """Words with their vectors, the most frequent word first."""

    words: list[str]
    vectors: NDArray[np.float32]  # (V, D)
    kept: float  # share of the variance that the principal components keep
    left_out: int  # words with a blank in them, which a text file cannot hold
    unknown: int = 0  # words without a piece of their own, which all have the vector of the unknown piece


def distil(
    source: str, sentences: Sequence[Sentence], *, size: int, layer: int | None = None, further: Iterable[str] = ()
) -> WordTable:
    """The vectors of all words of the sentences.

    Args:
        source: folder or hub id of a Hugging Face transformer. size: D.
        layer: of the states, counted from 1; None: rows of the table of pieces, which no context changes.
        further: words beside those of the sentences, each read as a sentence of its own.
    Raises: ConfigError for a folder that is no transformer, a layer that it does not have, or more numbers than it has; DataError
        without words.
    """
    counts = Counter(token for sentence in sentences for token in sentence.tokens)
    words = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    words = list(dict.fromkeys([*words, *further]))
    written = [word for word in words if word.split() == [word]]
    if not written:
        raise DataError("DATA: expected sentences with words, got none")
    subwords = subwords_of(source)
    reader = _Reader(subwords, source, layer)
    alone = (Sentence(word, (word,), ()) for word in words[len(counts) :])
    require(1 <= size <= reader.size, "--size", expected=f"a number from 1 to {reader.size}, which {source} has", got=size)
    totals, rows = np.zeros((len(words), reader.size)), {word: row for row, word in enumerate(words)}
    for tokens, values in reader.read([*sentences, *alone]):
        np.add.at(totals, [rows[token] for token in tokens], values)
    means = totals / np.array([counts.get(word, 1) for word in words])[:, None]              # (V, H)
    vectors, kept = principal_components(means[[rows[word] for word in written]], size)
    unknown = sum(set(subwords.pieces(Sentence(word, (word,), ())).ids) == {subwords.stand_in} for word in written)
    return WordTable(written, vectors, kept, len(words) - len(written), unknown)


def principal_components(rows: NDArray[np.float64], size: int) -> tuple[NDArray[np.float32], float]:
    """(V, H) -> the first D principal components (V, D), scaled to SPREAD, and the share of the variance that they keep.

    The sign of a component, which the method leaves open, makes its largest weight positive.
    """
    centred = rows - rows.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)                                    # (H,), (H, H)  in rising order
    axes = axes[:, ::-1][:, :size]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    vectors = centred @ axes                                                                 # (V, D)
    spread = float(np.sqrt((vectors**2).mean()))
    total = float(variances.sum())
    kept = float(variances[::-1][:size].sum()) / total if total > 0 else 1.0
    return (vectors * (SPREAD / spread if spread > 0 else 1.0)).astype(np.float32), kept


def write_vectors(table: WordTable, out: Path) -> None:
    """As text: a line with the number of words and of dimensions, then a line a word. Raises ConfigError if there is such a file."""
    if out.exists():
        raise ConfigError(f"--out {out}: expected a new file, got one that exists; name another, or delete it")
    with replaced_file(out) as stream:
        stream.write(f"{len(table.words)} {table.vectors.shape[1]}\n")
        for word, vector in zip(table.words, table.vectors):
            stream.write(f"{word} {' '.join(f'{number:.5g}' for number in vector.tolist())}\n")


class _Reader:
    """Reads sentences with a transformer."""

    def __init__(self, subwords: SubwordInput, source: str, layer: int | None) -> None:
        self.encoding = Encoding((), EntityTypes(()), None, None, None, frozenset({"subwords"}), subwords=subwords)
        self.transformer = HuggingFaceEncoder(self.encoding, word_size=1, tag_size=None).transformer.eval()
        fill_transformer(self.transformer, source, subwords)
        config: Any = self.transformer.config
        layers = int(config.num_hidden_layers)
        require(layer is None or 1 <= layer <= layers, "--layer", expected=f"a number from 1 to {layers}, which {source} has", got=layer)
        self.layer = layer
        self.pieces = _piece_table(self.transformer)
        self.size = int(config.hidden_size) if layer is not None else self.pieces.shape[1]

    def read(self, sentences: Iterable[Sentence]) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Tokens and their values (N, H), batch by batch."""
        items = [(sentence, examples_of(sentence, [], self.encoding, labelled=False)[0]) for sentence in sentences]
        items.sort(key=lambda item: item[1].work.tokens)
        for group in _groups(items):
            batch = collate([example for _, example in group], self.encoding)
            with torch.inference_mode():
                values = self._values(batch)
            yield [token for sentence, _ in group for token in sentence.tokens], values.numpy()

    def _values(self, batch: Batch) -> Tensor:
        """(N, H)"""
        subwords = read_subwords(batch)
        if self.layer is None:
            states = self.pieces[subwords.ids]                                               # (W, U, H)
        else:
            real = subwords.real.long()
            output = self.transformer(input_ids=subwords.ids, attention_mask=real, output_hidden_states=True, return_dict=True)
            states = output.hidden_states[self.layer]
        return pooled(states.flatten(0, 1)[subwords.place], subwords, "mean")


def _piece_table(transformer: nn.Module) -> Tensor:
    get: Any = transformer.get_input_embeddings
    table: Tensor = get().weight.detach()
    return table


def _groups(items: Sequence[tuple[Sentence, Example]]) -> Iterator[list[tuple[Sentence, Example]]]:
    """Sentences in order of their length -> groups of bounded size."""
    group: list[tuple[Sentence, Example]] = []
    for item in items:
        if group and item[1].work.tokens * (len(group) + 1) > PIECES_AT_ONCE:
            yield group
            group = []
        group.append(item)
    if group:
        yield group
