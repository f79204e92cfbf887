"""Native lines read in little time are read as they are value by value, and everything that is broken or rare is looked at closely."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.omissions import Omissions
from relsift.readers import native
from relsift.readers.base import ReadReport
from relsift.readers.native_plain import plain_line
from relsift.registry import find
from relsift.schema import Document
from relsift.writers.base import write_documents
from strategies import documents

PLAIN = {
    "id": "d-1", "doc_id": "d", "tokens": ["Ada", ":", "runs", '"', "Zed"], "text": 'Ada: runs " Zed', "text_start": 3,
    "offsets": [[0, 3], [3, 4], [5, 9], [10, 11], [12, 15]],
    "entities": [{"id": "a", "start": 0, "end": 1, "type": "PER", "chars": [0, 3], "score": 1.5}, {"start": 4, "end": 5, "type": "ORG"}],
    "relations": [{"head": 0, "tail": 1, "type": "runs", "score": -0.5, "probability": 0.25}],
}  # fmt: skip
LINE = json.dumps(PLAIN)


def both(lines: bytes) -> list[tuple[list[Document], str, ReadReport]]:
    """What is read with and without the fast way: documents, the error, and what was counted."""
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for way in (plain_line, lambda *_: None):
            patch.setattr(native, "plain_line", way)
            report, found, message = ReadReport(), list[Document](), ""
            try:
                found += native.read_lines(native.numbered_lines(lines.splitlines(keepends=True)), "a.jsonl", report)
            except DataError as error:
                message = str(error)
            results.append((found, message, report))
    return results


def changed(**values: Any) -> str:
    return json.dumps(PLAIN | values)


def with_entity(**values: Any) -> str:
    return changed(entities=[PLAIN["entities"][0] | values, PLAIN["entities"][1]])


def with_relation(**values: Any) -> str:
    return changed(relations=[PLAIN["relations"][0] | values])


USUAL = [
    LINE, LINE.replace('": ', '":'), LINE + "\r\n", json.dumps({"id": "s", "tokens": ["a"]}), changed(entities=None, relations=None),
    with_entity(score=None, subtype="x"),
]  # fmt: skip


@pytest.mark.parametrize("line", USUAL, ids=range(len(USUAL)))
def test_usual_lines_are_read_in_little_time(line: str):
    assert plain_line(line.encode(), "a:1", 0) is not None
    fast, close = both(line.encode())
    assert fast == close and len(fast[0]) == 1


RARE = [
    LINE.replace('"doc_id": "d"', '"doc_id": "d", "doc_id": "d"'), LINE.replace('"type": "PER"', '"type": "ORG", "type" : "PER"'),
    LINE.replace('"type": "PER"', '"type": "ORG", "type" \t : "PER"'), LINE.replace('"head": 0', '"head": 1, "h\\u0065ad": 0'),
    LINE.replace('"tokens"', '"tokens": [], "tokens"'), LINE.replace('":"', '"\\u003a"').replace('"id": "a"', '"id": "b", "id": "a"'),
    LINE.replace("Zed", "\\ud800ed"), LINE + "x", LINE + LINE, "\ufeff" + LINE, f"[{LINE}]", LINE[:-1], "{}", "3", '"a"',
    changed(id=""), changed(id=7), changed(id=None), changed(doc_id=None), changed(doc_id=7), changed(tokens=[]), changed(tokens="Ada"),
    changed(tokens=["Ada", ":", "runs", '"', ""]), changed(tokens=["Ada", ":", "runs", '"', 5]), changed(text=None), changed(offsets=None),
    changed(text='Bda: runs " Zed'), changed(text_start=-1), changed(text_start=True), changed(text_start=3.0), changed(text_start=2**70),
    changed(offsets=[[0, 3], [3, 4], [5, 9], [10, 11], [12, 99]]), changed(offsets=[[0, 3], [3, 4], [5, 9], [10, 11], [12, 15, 16]]),
    changed(offsets=[[False, 3], [3, 4], [5, 9], [10, 11], [12, 15]]), changed(offsets=[[None, 3], [3, 4], [5, 9], [10, 11], [12, 15]]),
    changed(offsets=[[-15, 3], [3, 4], [5, 9], [10, 11], [12, 15]]), changed(offsets=[[0.0, 3], [3, 4], [5, 9], [10, 11], [12, 15]]),
    changed(offsets=[[0, 3], [3, 4], [5, 9], [10, 11]]), changed(offsets=[[0, 3], [3, 4], [5, 9], [10, 11], [-3, 15]]),
    changed(offsets=[[0, 3], [3, 4], [5, 9], [10, 11], "ab"]), changed(offsets={}), changed(colour="red"), changed(heads=[-1, 0, 0, 0, 0]),
    changed(tagged=[]), changed(across=[]), changed(entities={}), changed(entities=[3]), changed(entities="ab"), changed(relations=[[]]),
    changed(relations={"head": 0}), changed(relations=[PLAIN["relations"][0]] * 2),
    with_entity(id=5), with_entity(start=-1), with_entity(start=1), with_entity(end=6), with_entity(start=False), with_entity(end=1.0),
    with_entity(type=""), with_entity(type=3), with_entity(subtype=3), with_entity(chars=[0, 2]), with_entity(chars=[3, 6]),
    with_entity(chars=[0, 3, 4]), with_entity(score=float("nan")), with_entity(score=float("inf")), with_entity(score=3),
    with_entity(score=2**70), with_entity(score=True), with_entity(text="Ada"), with_entity(colour="red"),
    changed(entities=[{"id": "a", "start": 0, "end": 1, "type": "A"}, {"id": "a", "start": 2, "end": 3, "type": "A"}]),
    with_relation(head="a"), with_relation(head=1), with_relation(head=2), with_relation(tail=-1), with_relation(head=False),
    with_relation(type=""), with_relation(probability=1.5), with_relation(probability=1), with_relation(score=float("nan")),
    with_relation(id="r"), with_relation(colour="red"),
]  # fmt: skip


@pytest.mark.parametrize("line", RARE, ids=range(len(RARE)))
def test_what_is_broken_or_rare_is_looked_at_closely(line: str):
    assert plain_line(line.encode("utf-8", "surrogatepass"), "a:1", 0) is None
    fast, close = both(f"{LINE}\n{line}\n{LINE}".encode("utf-8", "surrogatepass"))
    assert fast == close


CHANGES = ['"', ":", " ", ",", "0", "-", "}", "\\", '"id":"a",', "\t", ""]


@settings(max_examples=40)
@given(
    group=st.lists(documents(), min_size=1, max_size=2),
    places=st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(CHANGES)), max_size=2),
)
@example(group=[], places=[])
def test_written_lines_with_changes_are_read_the_same_in_both_ways(
    group: list[Document], places: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
):
    file: Path = tmp_path_factory.getbasetemp() / "plain.jsonl"
    write_documents(find("writer", "native"), group, file, Omissions())
    lines = file.read_text(encoding="utf-8")
    for place, change in places:
        at = place % (len(lines) + 1)
        lines = lines[:at] + change + lines[at + (not change) :]
    fast, close = both(lines.encode())
    assert fast == close
