"""Counts and pair balances, redone by hand."""

from __future__ import annotations

import json
from pathlib import Path

from relsift.corpora.data import resolve
from relsift.corpora.statistics import Balance, describe
from relsift.readers.base import ReadReport


def write(file: Path, *sentences: tuple[str, list[tuple[int, int, str]] | None]) -> None:
    """Sentences of one letter a token; a capital is an entity of type PER, a lower-case letter one of type ORG, `-` none."""
    lines = []
    for number, (text, relations) in enumerate(sentences):
        kinds = [(place, "PER" if letter.isupper() else "ORG") for place, letter in enumerate(text) if letter != "-"]
        record = {
            "id": f"{file.stem}{number}",
            "tokens": list(text),
            "entities": [{"start": place, "end": place + 1, "type": kind} for place, kind in kinds],
        }
        if relations is not None:
            record["relations"] = [{"head": head, "tail": tail, "type": kind} for head, tail, kind in relations]
        lines.append(json.dumps(record))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_counts_and_balances_of_every_part(tmp_path: Path):
    write(tmp_path / "train.jsonl", ("AxB", [(0, 1, "works")]), ("--", []))
    write(tmp_path / "test.jsonl", ("AxyB", [(0, 3, "knows"), (3, 2, "works")]))
    train, test = describe(resolve(str(tmp_path)), ReadReport())
    assert (train.name, train.documents, train.sentences, train.tokens) == ("train", 2, 2, 5)
    assert (dict(train.entities), dict(train.relations)) == ({"PER": 2, "ORG": 1}, {"works": 1})
    # Training relations join PER -> ORG only, so directed keeps A->x and B->x; undirected the same two pairs.
    assert train.balance == [
        Balance("directed", True, 1, 1, 0),
        Balance("directed", False, 1, 5, 0),
        Balance("undirected", True, 1, 1, 0),
        Balance("undirected", False, 1, 2, 0),
    ]
    # A, B to x, y: four pairs, one of them related; the relation between A and B has types the training part never joins.
    assert test.balance == [
        Balance("directed", True, 1, 3, 1),
        Balance("directed", False, 2, 10, 0),
        Balance("undirected", True, 1, 3, 1),
        Balance("undirected", False, 2, 4, 0),
    ]
    assert [balance.ratio for balance in test.balance] == ["1:3.0", "1:5.0", "1:3.0", "1:2.0"]


def test_a_pair_with_two_relations_is_one_positive_pair_and_none_of_them_is_lost(tmp_path: Path):
    write(tmp_path / "one.jsonl", ("AxB", [(0, 1, "works"), (0, 1, "owns"), (1, 0, "pays")]))
    (everything,) = describe(resolve(str(tmp_path / "one.jsonl")), ReadReport())
    assert dict(everything.relations) == {"works": 1, "owns": 1, "pays": 1}
    # Directed, A->x and x->A are related, and the filter joins PER and ORG both ways: B->x and x->B stay too.
    assert everything.balance == [
        Balance("directed", True, 2, 2, 0),
        Balance("directed", False, 2, 4, 0),
        Balance("undirected", True, 1, 1, 0),
        Balance("undirected", False, 1, 2, 0),
    ]


def test_sentences_without_annotation_are_counted_and_kept_out_of_the_balance(tmp_path: Path):
    write(tmp_path / "one.jsonl", ("AB", [(0, 1, "knows")]), ("ABC", None))
    (everything,) = describe(resolve(str(tmp_path / "one.jsonl")), ReadReport())
    assert (everything.name, everything.sentences, everything.not_annotated) == ("all", 2, 1)
    assert everything.balance[-1] == Balance("undirected", False, 1, 0, 0)


def test_json_has_totals_and_types(tmp_path: Path):
    write(tmp_path / "one.jsonl", ("AxB", [(0, 1, "works")]))
    (everything,) = describe(resolve(str(tmp_path / "one.jsonl")), ReadReport())
    record = json.loads(json.dumps(everything.to_json()))
    assert (record["entities"], record["entity_types"], record["relation_types"]) == (3, {"PER": 2, "ORG": 1}, {"works": 1})
    assert record["balance"][0] == {"direction": "directed", "type_filter": True, "positive": 1, "negative": 1, "lost": 0}


def test_relations_across_sentences_are_counted_by_their_distance(tmp_path: Path):
    line = {"doc_id": "d", "tokens": ["A"], "entities": [{"start": 0, "end": 1, "type": "PER"}], "relations": []}
    away = [[1, 3], [], [-2], []]
    across = [[{"head": 0, "tail": 0, "away": one, "type": "r"} for one in those] for those in away]
    lines = [line | {"id": f"s{n}", "across": those} for n, those in enumerate(across)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    (part,) = describe(resolve(str(tmp_path / "d.jsonl")), ReadReport())
    assert part.across == {1: 1, 2: 1, 3: 1}
    assert part.to_json()["relations_across_sentences"] == {"1": 1, "2": 1, "3": 1}
    assert part.relations.total() == 0
