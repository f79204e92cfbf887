"""The HTML page, read back with the standard library's parser: counts, marks, escaping, and that it stands alone."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import pytest

from relsift.errors import ConfigError, DataError
from relsift.report.arcs import Arc, compared_arcs
from relsift.report.sentence_page import write_comparison, write_documents
from relsift.schema import Document, Entity, Relation, Sentence

EVIL = "</script><img src=x onerror=alert(1)>"
VOID = {"meta", "input", "path", "br", "img", "link"}


class Page(HTMLParser):
    """Tags with their attributes in order, the text of each kind of element, and whether every tag is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.stage = False  # in the paragraph of a sentence, whose text goes under "sentence"
        self.text: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "p":
            self.stage = ("class", "text") in attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        for tag in {*self.open, *(["sentence"] if self.stage and "p" in self.open else [])}:
            self.text[tag] = self.text.get(tag, "") + data

    def having(self, attribute: str, tag: str | None = None) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if attribute in attributes and tag in (None, name)]


def sentence(
    *relations: Relation, tokens: str = "Ada founded Acme in Bern", entities: tuple[Entity, ...] | None = None
) -> Sentence:
    spans = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "GPE")) if entities is None else entities
    return Sentence("s1", tuple(tokens.split(" ")), spans, tuple(relations))


def comparison(gold: Sentence, predicted: Sentence, **options: object) -> str:
    stream = io.StringIO()
    write_comparison([gold], [predicted], stream, **({"title": "T", "direction": "directed", "summary": {}} | options))
    return stream.getvalue()


def plain(*sentences: Sentence) -> str:
    stream = io.StringIO()
    write_documents([Document("d", sentences)], stream)
    return stream.getvalue()


def test_each_class_is_recognised():
    gold = sentence(Relation(0, 1, "FOUNDED"), Relation(1, 2, "BASED"))
    predicted = sentence(Relation(0, 1, "FOUNDED", 0.9), Relation(1, 2, "OWNS", 0.6), Relation(0, 2, "LIVES", 0.7))
    assert compared_arcs(gold, predicted, "directed") == [
        Arc("found", 0, 1, "FOUNDED", "FOUNDED", 0.9),
        Arc("spurious", 0, 2, predicted="LIVES", score=0.7),
        Arc("wrong", 1, 2, "BASED", "OWNS", 0.6),
    ]
    assert compared_arcs(gold, sentence(), "directed") == [Arc("missed", 0, 1, "FOUNDED"), Arc("missed", 1, 2, "BASED")]


def test_turned_round_is_found_only_when_undirected():
    gold, predicted = sentence(Relation(0, 1, "A")), sentence(Relation(1, 0, "A", 0.8))
    assert compared_arcs(gold, predicted, "undirected") == [Arc("found", 0, 1, "A", "A", 0.8)]
    assert {arc.kind for arc in compared_arcs(gold, predicted, "directed")} == {"missed", "spurious"}


def test_pairs_with_several_types_match_type_by_type():
    gold, predicted = (
        sentence(Relation(0, 1, "A"), Relation(0, 1, "B"), Relation(0, 1, "C")),
        sentence(Relation(0, 1, "B"), Relation(0, 1, "D")),
    )
    assert [(arc.kind, arc.gold, arc.predicted) for arc in compared_arcs(gold, predicted, "directed")] == [
        ("wrong", "A", "D"),
        ("found", "B", "B"),
        ("missed", "C", None),
    ]


def test_a_relation_stated_twice_counts_once_with_its_best_score():
    predicted = sentence(Relation(0, 1, "A", 0.9), Relation(1, 0, "A", 0.4))
    assert compared_arcs(sentence(Relation(0, 1, "A")), predicted, "undirected") == [Arc("found", 0, 1, "A", "A", 0.9)]


def test_page_counts_each_class_and_shows_scores():
    gold = sentence(Relation(0, 1, "FOUNDED"), Relation(1, 2, "BASED"))
    predicted = sentence(Relation(0, 1, "OWNS", 0.625), Relation(0, 2, "LIVES", 0.75))
    text = comparison(gold, predicted, summary={"F1": "0.00"})
    assert dict(re.findall(r'data-count="(\w+)">(\d+)<', text)) == {
        "all": "3", "errors": "3", "found": "0", "missed": "1", "spurious": "1", "wrong": "1",
    }  # fmt: skip
    assert sorted(str(row["data-kind"]) for row in Page(text).having("data-kind")) == ["missed", "spurious", "wrong"]
    assert "0.62" in text and "0.75" in text and "<dd>0.00</dd>" in text
    assert "2 relations in gold, 2 predicted · compared directed" in text


def test_summary_may_be_a_table():
    text = comparison(sentence(), sentence(), summary=[("set", "F1"), ("dev", "<0.5")])
    assert "<th>set</th><th>F1</th>" in text and "<td>dev</td><td>&lt;0.5</td>" in text


def test_documents_are_written_with_plain_arcs_and_annotation_state():
    text = plain(sentence(Relation(0, 1, "FOUNDED")), sentence(), Sentence("s3", ("Rain",)))
    assert [row["data-kind"] for row in Page(text).having("data-kind")] == ["plain"]
    assert text.count("No relations.") == 1 and text.count("Not annotated.") == 1
    assert "3 sentences · 1 relation<" in text


@pytest.mark.parametrize("where", ["token", "id", "entity", "subtype", "relation", "title", "summary", "doc_id"])
def test_text_from_the_data_never_becomes_markup(where):
    word, type_, subtype, label = (EVIL if where == name else "x" for name in ("token", "entity", "subtype", "relation"))
    key, doc_id = EVIL if where == "id" else "s", EVIL if where == "doc_id" else "d"
    entities = (Entity(0, 1, type_, subtype), Entity(1, 2, "B"))
    example = Sentence(key, (word, "b"), entities, (Relation(0, 1, label, 0.5),), doc_id)
    text = comparison(example, example, title=EVIL if where == "title" else "t", summary={EVIL: EVIL} if where == "summary" else {})
    page = Page(text)
    assert EVIL not in text
    assert not [tag for tag, _ in page.tags if tag == "img"] and not [
        a for _, a in page.tags if any(name.startswith("on") for name in a)
    ]
    assert text.count("<script>") == text.count("</script>") == 1


def test_page_refers_to_nothing_outside_itself():
    text = comparison(sentence(Relation(0, 1, "A")), sentence(Relation(0, 1, "A")))
    page = Page(text)
    references = [value for name in ("src", "href", "data", "action", "srcset") for value in (a[name] for a in page.having(name))]
    assert all(value.startswith("#") for value in references)
    assert not {tag for tag, _ in page.tags} & {"link", "img", "iframe", "object", "embed", "base"}
    assert not re.search(
        r"url\(|@import|@font-face|\bfetch\(|XMLHttpRequest|\bimport\b", page.text["style"] + page.text["script"]
    )


def test_content_security_policy_allows_exactly_our_script():
    text = comparison(sentence(), sentence())
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = Page(text).having("http-equiv")[0]["content"]
    assert policy is not None and policy.startswith("default-src 'none'") and f"script-src 'sha256-{digest}'" in policy


def test_chinese_text_has_no_blanks_and_is_marked_as_chinese():
    example = Sentence("z", tuple("张三在北京"), (Entity(0, 2, "PER"), Entity(3, 5, "GPE")), (Relation(0, 1, "PHYS"),))
    page = Page(plain(example))
    assert page.text["sentence"] == "张三在北京"
    assert [a["lang"] for a in page.having("lang", "p")] == ["zh"]


def test_blanks_follow_the_original_text_where_it_is_known():
    known = Sentence("s", ("a", "-", "b", "."), offsets=((0, 1), (1, 2), (3, 4), (5, 6)))
    guessed = Sentence("s", ("He", "said", "(", "no", ")", ",", "did", "n't", "he", "?"))
    assert Page(plain(known)).text["sentence"] == "a- b ."
    assert Page(plain(guessed)).text["sentence"] == "He said (no), didn't he?"


def test_nested_mentions_nest_and_outer_boxes_are_larger():
    example = sentence(tokens="Bern city council met", entities=(Entity(0, 1, "GPE"), Entity(0, 3, "ORG"), Entity(1, 2, "LOC")))
    marks = Page(plain(example)).having("data-e")
    assert [(mark["data-e"], mark["style"]) for mark in marks] == [("1", "--depth:1"), ("0", "--depth:0"), ("2", "--depth:0")]


def test_crossing_mentions_are_cut_into_pieces_and_named_once():
    example = sentence(tokens="a b c d", entities=(Entity(0, 3, "X"), Entity(1, 4, "Y")))
    text = plain(example)
    marks = Page(text).having("data-e")
    assert [(mark["data-e"], mark.get("data-type")) for mark in marks] == [("0", "X"), ("1", None), ("1", "Y")]
    assert (
        len(
            {mark["style"] for mark in marks if mark["data-e"] == "0"}
            & {mark["style"] for mark in marks if mark["data-e"] == "1"}
        )
        == 0
    )
    assert Page(text).text["sentence"] == "a b c d"


def test_predicted_entities_show_which_side_has_them():
    gold = sentence(Relation(0, 1, "FOUNDED"), Relation(1, 2, "BASED"))
    predicted = sentence(
        Relation(1, 0, "FOUNDED", 0.9), Relation(1, 2, "BASED", 0.8),
        entities=(Entity(2, 3, "ORG", score=1.5), Entity(0, 1, "PER"), Entity(4, 5, "LOC", score=-0.25)),
    )  # fmt: skip
    text = comparison(gold, predicted, entities="predicted")
    marks = {(str(mark["data-type"]), str(mark["class"]), str(mark["title"])) for mark in Page(text).having("data-e")}
    assert marks == {
        ("PER", "e c0 whole", "PER"),
        ("ORG", "e c1 whole", "ORG, score 1.50"),
        ("○ GPE", "e c2 whole missed", "GPE, in gold, not predicted"),
        ("+ LOC", "e c3 whole spurious", "LOC, score -0.25, predicted, not in gold"),
    }
    # The first relation is found, though its entities stand at other positions; the second one differs in an entity.
    assert sorted(str(row["data-kind"]) for row in Page(text).having("data-kind")) == ["found", "missed", "spurious"]
    assert "3 entities in gold, 3 predicted · compared directed" in text


def test_with_boundaries_entities_of_one_span_are_the_same():
    gold = sentence(Relation(0, 1, "FOUNDED"))
    predicted = sentence(Relation(0, 1, "FOUNDED", 0.9), entities=(Entity(0, 1, "ORG"), Entity(2, 3, "PER")))
    text = comparison(gold, predicted, entities="predicted", match="boundaries")
    assert [str(mark["data-type"]) for mark in Page(text).having("data-e")] == ["PER", "ORG", "○ GPE"]
    assert [row["data-kind"] for row in Page(text).having("data-kind")] == ["found"]


def test_entities_stated_twice_and_relations_between_them_are_drawn_as_they_are_counted():
    twice = sentence(Relation(0, 2, "A"), Relation(0, 1, "B"), entities=(Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(0, 1, "PER")))
    once = sentence(Relation(0, 1, "B"), entities=(Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    text = comparison(twice, once, entities="predicted")
    assert len(Page(text).having("data-e")) == 2
    assert [(r["data-kind"], r["data-head"], r["data-tail"]) for r in Page(text).having("data-kind")] == [
        ("missed", "0", "0"), ("found", "0", "1"),
    ]  # fmt: skip


def test_scores_of_entities_are_shown_with_them():
    text = plain(sentence(entities=(Entity(0, 1, "PER", "Founder", score=2.345),)))
    assert [mark["title"] for mark in Page(text).having("data-e")] == ["PER / Founder, score 2.35"]


def test_sides_that_do_not_belong_together_are_refused():
    gold = sentence()
    with pytest.raises(DataError, match="same id and tokens"):
        comparison(gold, sentence(tokens="Ada founded Acme in Basel"))
    with pytest.raises(DataError, match="same entities"):
        comparison(gold, sentence(entities=(Entity(0, 1, "PER"),)))
    with pytest.raises(DataError, match="predicted relations"):
        comparison(gold, gold.with_relations(None))
    with pytest.raises(DataError, match="as many predicted"):
        write_comparison([gold], [], io.StringIO(), title="t", direction="directed", summary={})
    with pytest.raises(ConfigError, match="direction"):
        comparison(gold, gold, direction="sideways")
