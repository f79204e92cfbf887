"""What a notebook shows of sentences: the page of the report engine, in a frame that nothing of the text can leave."""

from __future__ import annotations

import html
import io
import re
from html.parser import HTMLParser

import pytest

from relsift.report import notebook
from relsift.report.sentence_page import write_documents
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence

EVIL = '"></iframe><img src=x onerror=alert(1)>'


class Outside(HTMLParser):
    """What a notebook sees: elements with their attributes, and the text between them."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(shown)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def sentence(number: int = 0, word: str = "founded") -> Sentence:
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    return Sentence(f"s{number}", ("Ada", word, "Acme"), entities, (Relation(0, 1, "founder_of", 1.5),), doc_id="d")


def page_in(shown: str) -> str:
    [attributes] = [attributes for tag, attributes in Outside(shown).elements if tag == "iframe"]
    assert attributes["sandbox"] == "allow-scripts"
    return attributes["srcdoc"] or ""


def written(document: Document) -> str:
    stream = io.StringIO()
    write_documents([document], stream)
    return stream.getvalue()


def test_the_frame_holds_the_page_of_the_report_engine_and_nothing_is_loaded():
    document = Document("d", (sentence(0), sentence(1)))
    shown = document._repr_html_()
    assert page_in(shown) == written(document)
    assert Outside(shown).text == ""
    assert re.findall(r"<(?:img|link|script src|object|embed)", html.unescape(shown)) == []
    assert "default-src 'none'" in page_in(shown)
    assert sentence()._repr_html_() == Document("d", (sentence(),))._repr_html_()


def test_text_cannot_leave_the_frame_or_become_an_element_of_the_page():
    shown = Document(EVIL, (sentence(word=EVIL),))._repr_html_()
    assert [tag for tag, _ in Outside(shown).elements] == ["iframe"]
    assert "<img" not in page_in(shown)
    assert html.escape(EVIL) in page_in(shown)


def test_half_of_a_character_is_shown_as_a_mark_that_can_be_sent():
    shown = sentence(word="a\ud83db")._repr_html_()
    shown.encode()
    assert "a\ufffdb" in page_in(shown)
    assert "😀" in page_in(sentence(word="😀")._repr_html_())


def test_a_long_document_is_cut_and_what_is_left_out_is_counted():
    sentences = tuple(sentence(number) for number in range(notebook.MOST_SENTENCES + 2))
    shown = Document("d", sentences)._repr_html_()
    assert page_in(shown) == written(Document("d", sentences[: notebook.MOST_SENTENCES]))
    assert Outside(shown).text == "Shown: the first 30 sentences. Left out here: 2 sentences with 2 relations."
    assert Outside(Document("d", sentences[: notebook.MOST_SENTENCES])._repr_html_()).text == ""


def test_relations_across_sentences_are_counted_below_the_frame():
    document = Document("d", (sentence(0), sentence(1)), across=(RelationAcross((0, 0), (1, 1), "knows"),))
    assert Outside(document._repr_html_()).text == "Not drawn: 1 relation across sentences."


def test_long_sentences_are_cut_earlier_and_one_is_shown_in_any_case():
    long = Sentence("long", ("a",) * (notebook.MOST_TOKENS + 1))
    shown = Document("d", (long, sentence()))._repr_html_()
    assert page_in(shown) == written(Document("d", (long,)))
    assert Outside(shown).text == "Shown: the first 1 sentence. Left out here: 1 sentence with 1 relation."


def test_an_empty_document_has_a_page_too():
    assert "0 sentences" in page_in(Document("d", (), "")._repr_html_())


def test_tokens_are_coloured_by_sign_and_size():
    # the largest weight has 60 %, half of it 30 %
    shown = notebook.weighted_tokens(Sentence("s", ("Ada", "<b>", "."), offsets=((0, 3), (4, 7), (7, 8))), [2.0, -1.0, 0.0])
    parts = re.findall(
        r"( ?)<span style=\"background: color-mix\(in srgb, var\(--(\w+)\) (\d+)%, transparent\)\" title=\"(.*?)\">(.*?)</span>", shown
    )
    assert parts == [
        ("", "found", "60", "+2.00", "Ada"), (" ", "missed", "30", "-1.00", "&lt;b&gt;"), ("", "missed", "0", "+0.00", "."),
    ]  # fmt: skip
    assert " 30%, " in notebook.weighted_tokens(Sentence("s", ("a",)), [0.5])  # a small number is not made to look large
    with pytest.raises(ValueError, match="zip"):
        notebook.weighted_tokens(Sentence("s", ("a",)), [0.0, 1.0])
