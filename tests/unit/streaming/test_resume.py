"""What an interrupted prediction left is gone on with if it belongs to the same job and input, and refused in one line if not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import ConfigError
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.streaming.resume import Job, mark, remaining
from relsift.writers.native import lines
from strategies import documents

JOB = Job(model="0" * 64, threshold=0.5, writer="native", input="in.jsonl", relsift="0.1.0")


def text_of(documents: Sequence[Document]) -> bytes:
    return "".join(f"{line}\n" for document in documents for line in lines(document)).encode()


def document(name: str, *tokens: str) -> Document:
    sentences = [Sentence(f"{name}-{n}", (token, "runs"), (Entity(0, 1, "PER"),), (), name) for n, token in enumerate(tokens)]
    return Document(name, tuple(sentences))


BLOCKS = [[document("a", "Ada", "Bo")], [document("b", "Cleo"), document("c", "Dan")], [document("d", "Eve")]]
WHOLE = text_of([d for block in BLOCKS for d in block])


EMPTY = Document("empty", (), "")  # of an empty text; it has a line too


@given(st.lists(st.lists(documents() | st.just(EMPTY), min_size=1, max_size=2), max_size=4), st.data())
def test_what_is_missing_after_any_byte_is_written_once(blocks: list[list[Document]], data: st.DataObject):
    written = [text_of(block) for block in blocks]
    whole = b"".join(written)
    cut = data.draw(st.integers(0, len(whole)))
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        out.write_bytes(whole[:cut])
        missing = list(remaining(iter(blocks), out, lines))
        kept = out.read_bytes()
        assert kept + text_of([d for block in missing for d in block]) == whole
    # No more is done again than the block that was cut.
    assert len(missing) == len(blocks) - max(n for n in range(len(blocks) + 1) if len(b"".join(written[:n])) <= cut)


def test_relations_of_the_input_do_not_matter(tmp_path):
    out = tmp_path / "out.jsonl"
    two = (Entity(0, 1, "PER"), Entity(1, 2, "ORG"))
    predicted, given_ = (Sentence("s", ("a", "b"), two, relations) for relations in ((Relation(0, 1, "runs", 0.5),), None))
    out.write_bytes(text_of([Document("s", (predicted,))]))
    assert list(remaining(iter([[Document("s", (given_,))]]), out, lines)) == []


@pytest.mark.parametrize(
    ("change", "line", "named"),
    [
        ({"id": "x"}, 3, "sentence 'x'"),
        ({"tokens": ("Cleo", "ran")}, 3, "sentence 'b-0'"),
        ({"entities": (Entity(0, 2, "PER"),)}, 3, "sentence 'b-0'"),
        ({"entities": ()}, 3, "sentence 'b-0'"),
    ],
)
def test_another_input_is_refused_with_the_line_and_the_file_stays(tmp_path, change, line, named):
    out = tmp_path / "out.jsonl"
    out.write_bytes(WHOLE)
    first, second = BLOCKS[1]
    changed = replace(first, sentences=(replace(first.sentences[0], **change),))
    with pytest.raises(ConfigError, match=rf"out\.jsonl:{line}: --resume: expected {named} .* got .*leave out --resume"):
        remaining(iter([BLOCKS[0], [changed, second], BLOCKS[2]]), out, lines)
    assert out.read_bytes() == WHOLE


def test_an_input_that_became_shorter_is_refused(tmp_path):
    out = tmp_path / "out.jsonl"
    out.write_bytes(WHOLE)
    with pytest.raises(ConfigError, match=r"out\.jsonl:5: --resume: expected the end of the input, got more sentences"):
        remaining(iter(BLOCKS[:2]), out, lines)


# ---- whose lines they are ------------------------------------------------------------------------------------------------


def claimed(tmp_path: Path, content: bytes = WHOLE) -> Path:
    out = tmp_path / "out.jsonl"
    out.write_bytes(content)
    JOB.mark_begun(out)
    return out


@pytest.mark.parametrize(
    "changed", [{"model": "1" * 64}, {"threshold": 0.25}, {"writer": "other"}, {"input": "b.jsonl"}, {"relsift": "0.2.0"}]
)
def test_another_job_is_refused_by_name(tmp_path, changed):
    out = claimed(tmp_path)
    assert JOB.has_lines(out)
    ((name, value),) = changed.items()
    with pytest.raises(ConfigError, match=rf"expected the {name} .*{getattr(JOB, name)!r}.* got {value!r}; use the same command"):
        replace(JOB, **changed).has_lines(out)


def test_no_file_or_an_empty_one_means_to_start(tmp_path):
    assert not JOB.has_lines(tmp_path / "out.jsonl")
    assert not JOB.has_lines(claimed(tmp_path, b""))
    mark(tmp_path / "out.jsonl").unlink()
    assert not JOB.has_lines(tmp_path / "out.jsonl")


def test_a_file_without_a_mark_is_complete_or_not_ours(tmp_path):
    out = claimed(tmp_path)
    mark(out).unlink()
    with pytest.raises(ConfigError, match=r"expected .*out\.jsonl\.resume\.json beside .* leave out --resume"):
        JOB.has_lines(out)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"model": None})])
def test_a_mark_that_says_something_else_is_refused(tmp_path, content):
    out = claimed(tmp_path)
    mark(out).write_text(content)
    with pytest.raises(ConfigError, match=r"resume\.json"):
        JOB.has_lines(out)
