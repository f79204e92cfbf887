"""What a format writes, its reader reads: the same mentions of the same words, and the same relations between them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport
from relsift.registry import READERS, find
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence, sentences_of
from relsift.writers.base import write_documents
from relsift.writers.graph import BY_MENTION, graph
from relsift.writers.rows import COLUMNS, relation_rows
from strategies import WORDS, each_once, entities, relations

FORMATS = [  # format, options, what else comes back
    ("native", "", {"unannotated", "scores", "sentences", "ids"}),
    ("spacy", "", {"scores", "sentences"}),
    ("brat", "", {"ids"}),
    ("bioc", "", {"sentences", "ids"}),
    ("pubtator", "", {"ids"}),
    ("prodigy", "", {"unannotated", "sentences"}),
    ("prodigy", "unit=document", {"sentences"}),
    ("label_studio", "results=annotations", set()),
    ("label_studio", "results=annotations,unit=sentence", set()),
    ("doccano", "", {"ids"}),
    ("doccano", "unit=sentence", {"unannotated"}),
    ("doccano", "positions=characters", {"ids"}),
]
READS = {"doccano": {"positions": "characters"}}
some = settings(max_examples=20, deadline=None)


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    """One or two documents in one text each, or without any; no two mentions of one type have the same words."""
    found = []
    for number in range(draw(st.integers(1, 2))):
        text, parts, has_text = draw(st.sampled_from(["", "\n"])), [], draw(st.booleans())
        for place in range(draw(st.integers(1, 3))):
            tokens = draw(st.lists(st.sampled_from([word for word in WORDS if word.strip()]), min_size=1, max_size=6))
            offsets = []
            for token in tokens:
                offsets.append((len(text), len(text) + len(token)))
                text += token + draw(st.sampled_from([" ", "  "]))
            text += "\n"
            mentions = tuple({(one.start, one.end, one.type): one for one in draw(entities(len(tokens)))}.values())
            chosen = each_once(draw(relations(len(mentions))))
            links = tuple(replace(one, score=draw(st.sampled_from([None, 1.5])), probability=0.25) for one in chosen)
            annotated = draw(st.sampled_from([links, links, None]))
            places = tuple(offsets) if has_text else None
            parts.append(Sentence(f"d{number}-{place}", tuple(tokens), mentions, annotated, f"d{number}", places))
        ends = [(part, place) for part, sentence in enumerate(parts) for place in range(len(sentence.entities))]
        pairs = [(head, tail) for head in ends for tail in ends if head[0] != tail[0]]
        drawn = draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True)) if pairs else []
        across = tuple(RelationAcross(*pair, "q", probability=0.25) for pair in drawn)
        found.append(Document(f"d{number}", tuple(parts), text if has_text else None, across))
    return found


def marks(group: list[Document], *, scores: bool, across: bool) -> tuple[str, Counter[object], Counter[object]]:
    """The text without blanks, mentions by their characters in it, and relations between these, in whichever sentences they are."""
    text, mentions, links = "", Counter[object](), Counter[object]()
    for document in group:
        ends: list[list[object]] = []
        for one in document.sentences:
            edges = [len(text) + sum(map(len, one.tokens[:number])) for number in range(len(one.tokens) + 1)]
            ends.append([(edges[entity.start], edges[entity.end], entity.type) for entity in one.entities])
            text += "".join(one.tokens)
        mentions.update(chain(*ends))
        pairs = [(own[r.head], own[r.tail], r) for own, one in zip(ends, document.sentences) for r in one.relations or ()]
        for r in document.across if across else ():
            (number, head), (other, tail) = r.head, r.tail
            pairs.append((ends[number][head], ends[other][tail], r))
        links.update((head, tail, r.type, *((r.score, r.probability) if scores else ())) for head, tail, r in pairs)
    return text, mentions, links


@pytest.mark.parametrize(("name", "options", "kept"), FORMATS, ids=lambda value: value if isinstance(value, str) else "")
@some
@given(group=documents())
def test_mentions_and_relations_come_back(
    name: str, options: str, kept: set[str], group: list[Document], tmp_path_factory: pytest.TempPathFactory
):
    if name not in READERS:
        pytest.skip(f"no reader of {name} yet")
    if name == "spacy":
        pytest.importorskip("spacy")
    if name == "pubtator":  # relates concepts: its reader looks within sentences
        group = [replace(document, across=()) for document in group]
    writer = find("writer", name).with_options(options)
    target, left_out, report = tmp_path_factory.mktemp(name) / f"out{writer.suffix}", Omissions(), ReadReport()
    write_documents(writer, group, target, left_out)
    reading = READS.get(name, {}) if "characters" in options else {}
    back = list(find("reader", name).read(target, report, **reading))
    compared = {"scores": "scores" in kept, "across": "across" in writer.keeps}
    assert marks(back, **compared) == marks(group, **compared), report.lines()
    if "sentences" in kept:
        assert ["".join(s.tokens) for s in sentences_of(back)] == ["".join(s.tokens) for s in sentences_of(group)]
    if "unannotated" in kept:
        assert [s.relations is None for s in sentences_of(back)] == [s.relations is None for s in sentences_of(group)]
    if "ids" in kept:
        assert [document.id for document in back] == [document.id for document in group]


def test_entities_that_are_finer_than_a_token_keep_their_characters_where_offsets_count_characters(tmp_path: Path):
    text = "Anti-Zed runs."
    fine = Entity(0, 1, "ORG", chars=(5, 8))
    document = Document("d", (Sentence("d-0", ("Anti-Zed", "runs", "."), (fine,), (), "d", ((0, 8), (9, 13), (13, 14))),), text)
    for name in ("brat", "bioc"):
        target = tmp_path / f"out{find('writer', name).suffix}"
        write_documents(find("writer", name), [document], target, Omissions())
        (back,) = find("reader", name).read(target, ReadReport())
        (entity,) = back.sentences[0].entities
        assert back.sentences[0].text_of(entity) == "Zed"


# Not PubTator, which relates concepts: its reader looks within sentences.
@pytest.mark.parametrize("name", ["native", "spacy", "brat", "bioc", "label_studio", "doccano", "prodigy"])
def test_relations_across_sentences_come_back(name: str, tmp_path: Path):
    if name == "spacy":
        pytest.importorskip("spacy")
    ends = (Entity(0, 1, "A"), Entity(1, 2, "B"))
    sentences = (Sentence("s", ("Ada", "met", "."), ends, (), "d"), Sentence("t", ("Bo", "left", "."), ends, (Relation(1, 0, "r"),), "d"))
    document = Document("d", sentences, across=(RelationAcross((1, 1), (0, 0), "q"),))
    writer = find("writer", name).with_options({"label_studio": "results=annotations", "prodigy": "unit=document"}.get(name))
    target, report, left_out = tmp_path / f"out{writer.suffix}", ReadReport(), Omissions()
    write_documents(writer, [document], target, left_out)
    assert not any("across" in reason for reason in left_out.dropped)
    (back,) = find("reader", name).read(target, report)
    assert back.across == document.across and report.lost_relations == {"q": 1}
    assert [s.relations for s in back.sentences] == [(), (Relation(1, 0, "r"),)]


@pytest.mark.parametrize(
    ("name", "options"), [("label_studio", "unit=sentence"), ("doccano", "unit=sentence"), ("prodigy", None), ("prodigy", "unit=sentence")]
)
def test_a_task_of_one_sentence_holds_no_relation_across_sentences_and_they_are_counted(name: str, options: str | None, tmp_path: Path):
    sentences = tuple(Sentence(word, (word,), (Entity(0, 1, "A"),), (), "d") for word in ("Ada", "Bo"))
    writer, left_out = find("writer", name).with_options(options), Omissions()
    document = Document("d", sentences, across=(RelationAcross((1, 0), (0, 0), "q"),))
    write_documents(writer, [document], tmp_path / f"out{writer.suffix}", left_out)
    assert left_out.dropped["relations across sentences"] == 1


def test_a_record_of_prodigy_with_several_sentences_is_checked_and_cut(tmp_path: Path):
    ends = (Entity(0, 1, "A"), Entity(1, 2, "B"))
    sentences = (Sentence("s", ("Ada", "met"), ends, (Relation(0, 1, "r"),), "d"), Sentence("t", ("Bo", "left"), ends, (), "d"))
    target = tmp_path / "out.jsonl"
    writer = find("writer", "prodigy").with_options("unit=document")
    write_documents(writer, [Document("d", sentences, across=(RelationAcross((0, 0), (1, 1), "q"),))], target, Omissions())
    record = json.loads(target.read_text(encoding="utf-8"))
    assert record["meta"] == {"document": "d", "sentence_starts": [0, 2]}
    for spoilt in ([1, 2], [0, 2, 2], [0, 4], [0, True], "0 2", [0, 2.0]):
        broken = record | {"meta": record["meta"] | {"sentence_starts": spoilt}}
        target.write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(DataError, match=r"out\.jsonl:1: record 1: meta: .*sentence_starts: expected "):
            list(find("reader", "prodigy").read(target, ReadReport()))
    # Somebody marks "met Bo", which crosses the boundary between the sentences, and relates it.
    span = {"start": 4, "end": 10, "token_start": 1, "token_end": 2, "label": "C"}
    link = {"head": 0, "child": 2, "label": "x", "head_span": record["spans"][0], "child_span": span}
    record["spans"].append(span)
    record["relations"].append(link)
    target.write_text(json.dumps(record), encoding="utf-8")
    report = ReadReport()
    (back,) = find("reader", "prodigy").read(target, report)
    assert [(s.tokens, s.relations) for s in back.sentences] == [(("Ada", "met"), (Relation(0, 1, "r"),)), (("Bo", "left"), ())]
    assert back.across == (RelationAcross((0, 0), (1, 1), "q"),)
    assert report.lost_entities == 1 and report.lost_relations == {"q": 1, "x": 1}


def test_rows_and_graphs_hold_relations_across_sentences():
    first, second = (Sentence(word, (word, "x"), (Entity(0, 1, "A"),), (), "d") for word in ("Ada", "Bo"))
    document = Document("d", (first, second), across=(RelationAcross((1, 0), (0, 0), "q", 1.5, 0.75),))
    ((sentence, row),) = relation_rows(document)
    assert sentence is second  # that of the head
    assert dict(zip(COLUMNS, row)) == {
        "document": "d", "sentence": 1, "head_text": "Bo", "head_type": "A", "head_start": None, "head_end": None, "head_score": None,
        "relation": "q", "tail_text": "Ada", "tail_type": "A", "tail_start": None, "tail_end": None, "tail_score": None, "score": 1.5,
        "probability": 0.75,
    }  # fmt: skip
    ((nodes, (edge,)),) = graph([document], BY_MENTION)
    assert [node.name for node in nodes] == ["Ada", "Bo"] and (edge.head, edge.tail) == (nodes[1].key, nodes[0].key)
    assert edge.properties["text"] == "Bo x" and edge.properties["probability"] == 0.75


def test_relations_across_two_units_are_numbered_anew(tmp_path: Path):
    # The second sentence's entities are 2 and 3 of the document in formats of one list a document.
    ends = (Entity(0, 1, "A"), Entity(1, 2, "B"))
    document = Document("d", (Sentence("s", ("a", "b"), ends, (), "d"), Sentence("t", ("c", "e"), ends, (Relation(1, 0, "r"),), "d")))
    target = tmp_path / "out"
    write_documents(find("writer", "brat"), [document], target, Omissions())
    assert (target / "d.ann").read_text(encoding="utf-8").splitlines()[-1] == "R1\tr Arg1:T4 Arg2:T3"


@pytest.mark.parametrize(("name", "options"), [(name, options) for name, options, _ in FORMATS if name != "pubtator"])
def test_a_relation_across_sentences_without_annotation_comes_back_if_the_format_has_such(name: str, options: str, tmp_path: Path):
    if name == "spacy":
        pytest.importorskip("spacy")
    ada = (Entity(0, 1, "LOC"),)
    group = [Document("d", (Sentence("d-0", ("Ada",), ada), Sentence("d-1", ("Ada",), ada)), across=(RelationAcross((0, 0), (1, 0), "q"),))]
    writer = find("writer", name).with_options(options)
    write_documents(writer, group, tmp_path / f"out{writer.suffix}", Omissions())
    back = list(find("reader", name).read(tmp_path / f"out{writer.suffix}", ReadReport()))
    assert [relation.type for document in back for relation in document.across] == (["q"] if "across" in writer.keeps else [])
