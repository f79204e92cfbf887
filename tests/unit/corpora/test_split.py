"""Data cut into parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.corpora.data import resolve
from relsift.corpora.groups import group_documents
from relsift.corpora.split import share_warnings, split, split_documents, unlearnable_types
from relsift.errors import ConfigError, DataError
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.writers import native


def document(name: str, texts: list[str], *, annotated: bool = True) -> Document:
    return Document(
        name, tuple(Sentence(f"{name}-{n}", tuple(t.split()), (), () if annotated else None, name) for n, t in enumerate(texts))
    )


def saved(file: Path, documents: list[Document]) -> str:
    with file.open("w", encoding="utf-8") as stream:
        native.write(documents, stream)
    return str(file)


MANY = [document(f"d{n}", [f"text {n} one", f"text {n} two"]) for n in range(20)]
LONG = "these are the very same eight words here"


def test_shares_are_of_sentences_and_every_document_is_in_one_part():
    parts = split_documents(MANY, {"dev": 0.1, "test": 0.2}, seed=0, where="x")
    assert {name: len(part) for name, part in parts.items()} == {"train": 14, "dev": 2, "test": 4}  # 20 documents of 2 sentences
    assert sorted(d.id for part in parts.values() for d in part) == sorted(d.id for d in MANY)
    assert [d.id for d in parts["train"]] == [d.id for d in MANY if d in parts["train"]]  # in their old order


def test_the_seed_alone_decides():
    first, again, other = (split_documents(MANY, {"dev": 0.2}, seed=seed, where="x") for seed in (1, 1, 2))
    assert first == again != other


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=8, max_size=30), st.integers(0, 3))
def test_documents_that_share_text_stay_together(texts: list[int], seed: int):
    documents = [document(f"d{n}", [f"{LONG} {text}"]) for n, text in enumerate(texts)]
    if len(group_documents(documents)) < 3:
        with pytest.raises(DataError, match="expected at least 3 documents"):
            split_documents(documents, {"dev": 0.2, "test": 0.2}, seed=seed, where="x")
        return
    parts = split_documents(documents, {"dev": 0.2, "test": 0.2}, seed=seed, where="x")
    seen = [{d.sentences[0].tokens for d in part} for part in parts.values()]
    assert all(seen)
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_documents_without_annotation_are_not_held_out():
    documents = [document(f"d{n}", ["some text"], annotated=n < 4) for n in range(20)]
    parts = split_documents(documents, {"dev": 0.5}, seed=0, where="x")
    assert len(parts["dev"]) == 2 and all(d.sentences[0].relations is not None for d in parts["dev"])


def test_a_document_is_never_cut():
    with pytest.raises(DataError, match=r"x: expected at least 2 documents .* got 1; .* a document is never cut"):
        split_documents([document("d", ["one", "two", "three"])], {"dev": 0.3}, seed=0, where="x")


def test_a_part_far_from_its_share_is_named():
    documents = [document("same", ["some text"]) for _ in range(9)] + [document("other", ["more text"])]
    parts = split_documents(documents, {"dev": 0.2}, seed=0, where="x")
    assert not share_warnings(parts, {"dev": 0.2})  # one of ten sentences, the document that stands alone
    assert share_warnings({"train": documents[:5], "dev": documents[5:]}, {"dev": 0.1}) == [
        "dev: 5 of 10 sentences (50 %) in place of 10 %: documents are not cut, "
        "and those with the same id or a shared sentence stay together"
    ]


def test_a_relation_type_that_training_lacks_is_named_with_the_part_that_has_it(tmp_path: Path):
    ends = (Entity(0, 1, "A"), Entity(1, 2, "A"))
    some = [
        Document(f"d{n}", (Sentence(f"d{n}-0", ("text", str(n)), ends, (Relation(0, 1, "rare" if n == 4 else "usual"),), f"d{n}"),))
        for n in range(6)
    ]
    shares = {part: [some[n] for n in those] for part, those in {"train": (0, 1), "dev": (2, 3), "test": (4, 5)}.items()}
    assert unlearnable_types(shares) == [
        "relation types without an example in train: rare (1 relation in test); no model can learn them, and each such relation counts as "
        "missed; another --seed cuts otherwise, and a type of one document can stand in one part only"
    ]
    assert unlearnable_types({"train": some, "test": some}) == unlearnable_types({"dev": some}) == []
    source = resolve(saved(tmp_path / "x.jsonl", some))
    named = {bool(split(source, tmp_path / f"p{n}", dev=0, test=0.5, seed=n, report=ReadReport())[1]) for n in range(4)}
    assert named == {True, False}  # it depends on the cut


def test_parts_are_written_in_a_form_that_is_read_as_parts(tmp_path: Path):
    file = saved(tmp_path / "all.jsonl", MANY)
    split(resolve(file), tmp_path / "parts", dev=0.1, test=0.1, seed=0, report=ReadReport())
    data = resolve(str(tmp_path / "parts"))
    assert {name: len(list(data.documents(name))) for name in data.splits} == {"train": 16, "dev": 2, "test": 2}


def test_parts_that_are_there_stay_and_the_missing_one_is_cut_from_the_training_part(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    saved(tmp_path / "mine/train.jsonl", MANY[:10])
    saved(tmp_path / "mine/test.jsonl", MANY[10:])
    split(resolve(str(tmp_path / "mine")), tmp_path / "parts", dev=0.2, test=0.1, seed=0, report=ReadReport())
    data = resolve(str(tmp_path / "parts"))
    assert {name: len(list(data.documents(name))) for name in data.splits} == {"train": 8, "dev": 2, "test": 10}
    assert [d.id for d in data.documents("test")] == [d.id for d in MANY[10:]]
    with pytest.raises(DataError, match="expected data whose parts are not cut yet, got train, dev, test"):
        split(data, tmp_path / "again", dev=0.1, test=0.1, seed=0, report=ReadReport())


@pytest.mark.parametrize(
    ("dev", "test"), [(float("nan"), 0.1), (float("inf"), 0.1), (-0.1, 0.1), (1.0, 0.0), (0.6, 0.5), (0.0, 0.0), (0.1, 1e300)]
)
def test_shares_that_cannot_be_are_refused(tmp_path: Path, dev: float, test: float):
    file = saved(tmp_path / "all.jsonl", MANY)
    with pytest.raises(ConfigError, match=r"--dev|--test"):
        split(resolve(file), tmp_path / "parts", dev=dev, test=test, seed=0, report=ReadReport())
    assert not (tmp_path / "parts").exists()


def test_nothing_is_written_over_or_into_the_data(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    saved(tmp_path / "mine/all.jsonl", MANY)
    for folder in (tmp_path / "mine", tmp_path / "mine/parts"):
        with pytest.raises(ConfigError, match=r"expected a place (that is not read|outside the input)"):
            split(resolve(str(tmp_path / "mine")), folder, dev=0.1, test=0.1, seed=0, report=ReadReport())
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x").touch()
    with pytest.raises(ConfigError, match="expected a new or an empty folder"):
        split(resolve(str(tmp_path / "mine")), tmp_path / "other", dev=0.1, test=0.1, seed=0, report=ReadReport())


def test_a_writing_that_breaks_off_leaves_no_part_and_the_same_command_then_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, written = saved(tmp_path / "all.jsonl", MANY), []

    def breaking(documents: Iterable[Document], stream: TextIO) -> None:
        write(documents, stream)
        written.append(stream)
        if len(written) == 2:
            raise KeyboardInterrupt

    write = native.write
    monkeypatch.setattr(native, "write", breaking)
    with pytest.raises(KeyboardInterrupt):
        split(resolve(file), tmp_path / "parts", dev=0.1, test=0.1, seed=0, report=ReadReport())
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]
    split(resolve(file), tmp_path / "parts", dev=0.1, test=0.1, seed=0, report=ReadReport())
    assert resolve(str(tmp_path / "parts")).splits == ("train", "dev", "test")


def test_relations_across_sentences_are_in_the_parts_and_not_lost(tmp_path: Path):
    one = Sentence("s", ("a",), (Entity(0, 1, "P"),), ())
    documents = [
        Document(f"d{n}", tuple(replace(one, id=f"d{n}-{k}", tokens=(f"a{n}",), doc_id=f"d{n}") for k in range(2)), across=(
            RelationAcross((0, 0), (1, 0), "knows"),
        )) for n in range(8)
    ]  # fmt: skip
    report = ReadReport()
    parts, _ = split(resolve(saved(tmp_path / "all.jsonl", documents)), tmp_path / "out", dev=0.25, test=0, seed=0, report=report)
    assert not report.dropped and not report.lost_relations
    kept = [d for part in parts for d in resolve(str(tmp_path / "out" / f"{part}.jsonl")).documents()]
    assert len(kept) == 8 and all(len(d.across) == 1 for d in kept)
