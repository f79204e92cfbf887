"""An invented corpus in two formats, with its checksums: shared by the tests of preparing and finding corpora."""

from __future__ import annotations

from pathlib import Path

from relsift.corpora.corpus import DEV, TEST, TRAIN, Corpus, Raw, Reading
from relsift.files import file_sha256, folder_sha256
from relsift.readers import native
from relsift.readers.base import ReadReport

SENTENCES = "".join(
    f'{{"id": "s{number}", "tokens": ["Ada", "runs", "Zed", "{number}"], "entities": [{{"start": 0, "end": 1, "type": "PER"}}, '
    '{"start": 2, "end": 3, "type": "ORG"}], "relations": [{"head": 0, "tail": 1, "type": "runs"}]}\n'
    for number in range(5)
)
NOTES = {
    "one.txt": "Bo left Lund.",
    "one.ann": "T1\tPER 0 2\tBo\nT2\tGPE 8 12\tLund\nT3\tGPE 8 12\tLund\nR1\tleft Arg1:T1 Arg2:T2\nN1\tReference T1 x:1\tBo\n",
    "two.txt": "It rained.",
    "two.ann": "",
}


def write_raw(folder: Path) -> Path:
    """The raw files, below `folder`."""
    (folder / "held").mkdir(parents=True)
    (folder / "sentences.jsonl").write_text(SENTENCES, encoding="utf-8")
    for name, text in NOTES.items():
        (folder / "held" / name).write_text(text, encoding="utf-8")
    return folder


def small_corpus(raw: Path, **changes: object) -> Corpus:
    """Four of the five sentences train, the last is dev; of the two notes, the one without entities is left out."""
    values: dict[str, object] = {
        "name": "small",
        "title": "Small",
        "language": "en",
        "domain": "news",
        "licence": "CC0 1.0",
        "source": "tests",
        "citation": "none",
        "direction": "directed",
        "download": "https://example.org/small.zip",
        "raw": (
            Raw(path="sentences.jsonl", sha256=file_sha256(raw / "sentences.jsonl")),
            Raw(path="held", suffixes=(".ann", ".txt"), sha256=folder_sha256(raw / "held", (".ann", ".txt"))),
        ),
        "readings": (
            Reading(raw="sentences.jsonl", reader="native", split=lambda position, _: TRAIN if position < 4 else DEV),
            Reading(raw="held", reader="brat", split=TEST, options={"unit": "characters"}),
        ),
        "leave_out": lambda document: None if any(s.entities for s in document.sentences) else "documents without entities",
    }
    return Corpus(**(values | changes))  # type: ignore[arg-type]


def ids_in(file: Path) -> list[str]:
    return [document.id for document in native.read(file, ReadReport())]
