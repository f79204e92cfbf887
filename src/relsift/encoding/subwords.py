"""Text to the pieces that a transformer of Hugging Face reads, aligned to the tokens of the sentence.

The *text* of the sentence is cut into pieces, not its tokens one by one: a tokenizer that marks the beginning of words would take every
Chinese character for a word. A piece belongs to each token that it shares a character with, so a token has one piece or several, and a
piece may belong to several tokens, as with Chinese characters as tokens.
A text with more pieces than the transformer can read is read in several *windows*, which overlap. The state of a piece is taken from the
window in which most text stands on both sides of it.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from relsift.errors import ConfigError
from relsift.schema import Sentence

if TYPE_CHECKING:
    from tokenizers import Tokenizer

INSTALL = "pip install 'relsift[transformers]'"
MANY_UNKNOWN = 0.1  # share of pieces
_OVERLAP = 4  # a window shares at least one part in so many with the next one
_STAND_INS = ("unk_token", "mask_token", "pad_token", "cls_token", "bos_token")  # for a token without a piece, by preference


class Pieces(NamedTuple):
    """The pieces of one sentence, without special ones."""

    ids: list[int]
    token: list[int]  # of each piece, the first token that it shares a character with; -1: none, a blank
    first: list[int]  # of each token, its first piece
    last: list[int]  # of each token, its last piece
    uncovered: int  # tokens in which the tokenizer saw no piece; a stand-in was put there


@dataclass
class PieceCounts:
    """What a tokenizer made of many sentences."""

    sentences: int = 0
    longer: int = 0  # sentences of several windows
    tokens: int = 0
    bare: int = 0  # tokens without a piece
    pieces: int = 0
    unknown: int = 0  # stand-ins among them

    def add(self, pieces: Pieces, subwords: SubwordInput) -> None:
        """Count a sentence."""
        self.sentences += 1
        self.longer += len(pieces.ids) > subwords.room
        self.tokens += len(pieces.first)
        self.bare += pieces.uncovered
        self.pieces += len(pieces.ids)
        self.unknown += pieces.ids.count(subwords.stand_in)

    def lines(self) -> list[str]:
        """What the user has to know, one line a reason."""
        lines = []
        if self.bare:
            lines.append(f"{self.bare} of {self.tokens} tokens have no piece in the encoder's tokenizer: its unknown piece stands for them")
        if self.unknown > MANY_UNKNOWN * self.pieces:
            lines.append(f"{self.unknown} of {self.pieces} pieces are unknown to the encoder; is it made for the language of the text?")
        return lines


class Window(NamedTuple):
    """A run of pieces that the transformer reads at once, between special pieces."""

    start: int  # the first piece
    stop: int  # the piece after the last one


@dataclass(frozen=True)
class SubwordInput:
    """The tokenizer of a transformer, and the configuration that the transformer is built from."""

    tokenizer: str  # the content of tokenizer.json
    config: dict[str, Any]  # of config.json
    longest: int  # pieces that the transformer reads at once, special ones included
    stand_in: int  # id of the piece that stands for a token without pieces, and for dropped ones

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = tokenizers_class().from_str(self.tokenizer)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        tokenizer.encode_special_tokens = True  # "[SEP]" in a text is text
        return tokenizer

    @cached_property
    def around(self) -> tuple[list[int], list[int]]:
        """Ids of the special pieces before and after a text."""
        found = self._tokenizer.encode("a", add_special_tokens=True)
        real = [place for place, special in enumerate(found.special_tokens_mask) if not special]
        if not real:
            return [], []
        return found.ids[: real[0]], found.ids[real[-1] + 1 :]

    @property
    def room(self) -> int:
        """Pieces of text that fit into one window."""
        return self.longest - sum(map(len, self.around))

    def ids(self, text: str) -> list[int]:
        """The pieces of a text, without special ones: of the name of an entity type, for instance."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def pieces(self, sentence: Sentence) -> Pieces:
        """The pieces of a sentence's text, aligned to its tokens."""
        text, spans = sentence.text, sentence.token_spans
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return _aligned(found.ids, found.offsets, spans, self.stand_in)

    def windows(self, count: int) -> list[Window]:
        """Overlapping windows over so many pieces, as few as there can be, all but the last of the same length."""
        room = self.room
        if count <= room:
            return [Window(0, count)]
        step = max(1, room - room // _OVERLAP)
        starts = [*range(0, count - room, step), count - room]
        return [Window(start, start + room) for start in starts]


def tokenizers_class() -> type[Tokenizer]:
    """The class of tokenizers. Raises ConfigError with the command that installs it."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ConfigError(f"encoder huggingface: expected the packages of Hugging Face, got none ({error}); {INSTALL}") from error
    return Tokenizer


def central_window(piece: int, windows: Sequence[Window]) -> int:
    """The number of the window in which most text stands on both sides of the piece."""
    inside = [number for number, window in enumerate(windows) if window.start <= piece < window.stop]
    return max(inside, key=lambda number: min(piece - windows[number].start, windows[number].stop - 1 - piece))


def _aligned(
    ids: Sequence[int], offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]], stand_in: int
) -> Pieces:
    """Args: offsets: characters of each piece. spans: characters of each token, in any order, none empty."""
    token_at = _tokens_by_character(spans)
    kept: list[int] = []
    token: list[int] = []
    found: list[list[int]] = [[] for _ in spans]
    starts: list[int] = []
    for piece, (start, end) in zip(ids, offsets):
        touched = sorted({number for place in range(start, end) for number in token_at.get(place, ())})
        for number in touched:
            found[number].append(len(kept))
        kept.append(piece)
        token.append(touched[0] if touched else -1)
        starts.append(max(start, starts[-1]) if starts else start)  # a normalizer may have changed the order of characters
    missing = [number for number, pieces in enumerate(found) if not pieces]
    if not missing:
        return Pieces(kept, token, [pieces[0] for pieces in found], [pieces[-1] for pieces in found], 0)
    # A stand-in goes before the first piece that begins behind the token; `shift` is where each piece stands afterwards.
    places = sorted((bisect_left(starts, spans[number][0]), number) for number in missing)
    shift = [piece + bisect_right(places, (piece, len(spans))) for piece in range(len(kept))]
    ids_with = dict(zip(shift, kept)) | {place + rank: stand_in for rank, (place, _) in enumerate(places)}
    token_of = dict(zip(shift, token)) | {place + rank: number for rank, (place, number) in enumerate(places)}
    for rank, (place, number) in enumerate(places):
        found[number] = [place + rank]
    for number in set(range(len(spans))).difference(missing):
        found[number] = [shift[piece] for piece in found[number]]
    order = range(len(ids_with))
    first, last = [pieces[0] for pieces in found], [pieces[-1] for pieces in found]
    return Pieces([ids_with[n] for n in order], [token_of[n] for n in order], first, last, len(missing))


def _tokens_by_character(spans: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    token_at: dict[int, list[int]] = {}
    for number, (start, end) in enumerate(spans):
        for place in range(start, end):
            token_at.setdefault(place, []).append(number)
    return token_at


def stand_in_of(special: dict[str, int], where: str) -> int:
    """The id of a piece that can stand for a token without pieces. Args: special: name of a special piece -> its id."""
    for name in _STAND_INS:
        if name in special:
            return special[name]
    raise ConfigError(f"{where}: expected a tokenizer with an unknown, mask, padding or first piece, got one without any of them")


def as_saved(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration as it comes back from a file, without the place that it was read from."""
    kept: dict[str, Any] = json.loads(config_text({name: value for name, value in config.items() if name != "_name_or_path"}))
    return kept


def config_text(config: dict[str, Any]) -> str:
    """config.json"""
    return json.dumps(config, indent=1, sort_keys=True) + "\n"
