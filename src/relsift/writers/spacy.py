"""spaCy's binary docs (`DocBin`): one doc a document, with relations as `doc._.relations` of relsift's component stores them.

Entities are `doc.ents`; those that overlap a longer one are in `doc.spans["relsift"]`, which holds all. Needs spaCy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relsift.errors import ConfigError
from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.spacy_storage import KEY, End, Stored, store
from relsift.writers.base import Writer
from relsift.writers.layout import layout

_ATTRIBUTES = ("ORTH", "SPACY", "SENT_START", "ENT_IOB", "ENT_TYPE")


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """All docs are held in memory, packed, as `DocBin` writes them. Raises: ConfigError if spaCy is not installed."""
    try:
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    except ImportError as error:
        raise ConfigError("spacy: expected spaCy to write .spacy files, got no such package: pip install 'relsift[spacy]'") from error
    docs, vocabulary = DocBin(attrs=_ATTRIBUTES, store_user_data=True), Vocab()
    for document in documents:
        docs.add(_doc(document, vocabulary, left_out))
    target.write_bytes(docs.to_bytes())


@dataclass
class _Words:
    """Tokens and the blanks between them, as spaCy cuts a text."""

    words: list[str] = field(default_factory=list)
    spaces: list[bool] | None = field(default_factory=list)  # whether a blank follows; None: unknown
    starts: list[bool | int | None] = field(default_factory=list)  # whether a sentence begins
    numbers: list[list[int]] = field(default_factory=list)  # of each sentence's tokens

    def add(self, word: str, *, starts: bool = False) -> None:
        self.words.append(word)
        self.starts.append(starts or len(self.words) == 1)
        if self.spaces is not None:
            self.spaces.append(False)

    def add_gap(self, gap: str) -> None:
        """The first blank belongs to the token before it, others are a token."""
        if gap.startswith(" ") and self.spaces:
            self.spaces[-1], gap = True, gap[1:]
        if gap:
            self.add(gap)


def _doc(document: Document, vocabulary: Any, left_out: Omissions) -> Any:
    from spacy.tokens import Doc, Span
    from spacy.util import filter_spans

    words, where = _words(document, left_out), f"document {document.id}"
    doc = Doc(vocabulary, words=words.words, spaces=words.spaces, sent_starts=words.starts)
    spans, relations, by_sentence = [], [], list[list[End]]()
    for sentence, tokens in zip(document.sentences, words.numbers):
        own = [Span(doc, tokens[one.start], tokens[one.end - 1] + 1, label=one.type) for one in sentence.entities]
        ends = [End(span.start_char, span.end_char, span.label_) for span in own]
        relations += [Stored(ends[one.head], ends[one.tail], one.type, one.score, one.probability) for one in sentence.relations or ()]
        by_sentence.append(ends)
        spans += own
    for one in document.across:
        head, tail = (by_sentence[number][place] for number, place in (one.head, one.tail))
        relations.append(Stored(head, tail, one.type, one.score, one.probability))
    doc.ents = filter_spans(spans)
    doc.spans[KEY] = spans
    if again := len(spans) - len({(span.start, span.end, span.label) for span in spans}):
        left_out.drop("entities with the words and type of another one (written once)", where, again)
    unannotated = sum(sentence.relations is None for sentence in document.sentences)
    if document.across or unannotated < len(document.sentences):
        store(doc, relations)
        if unannotated:
            left_out.drop("sentences without annotated relations beside others, which look as if they had none", where, unannotated)
    return doc


def _words(document: Document, left_out: Omissions) -> _Words:
    words = _words_of_text(document) if all(sentence.original is not None for sentence in document.sentences) else _Words(spaces=None)
    if words is None:
        left_out.drop("texts that are more than tokens and blanks (only their tokens are kept)", f"document {document.id}")
        words = _Words(spaces=None)
    if words.spaces is None:
        for sentence in document.sentences:
            first = len(words.words)
            for number, token in enumerate(sentence.tokens):
                words.add(token, starts=number == 0)
            words.numbers.append(list(range(first, first + len(sentence.tokens))))
    return words


def _words_of_text(document: Document) -> _Words | None:
    """The text of the document as tokens and blanks; None if it has more."""
    page, words, place = layout(document), _Words(), 0
    for placed in page.sentences:
        numbers = []
        for start, end in placed.tokens:
            gap = page.text[place:start]
            if start < place or gap.strip():
                return None
            words.add_gap(gap)
            numbers.append(len(words.words))
            words.add(page.text[start:end], starts=bool(words.numbers) and len(numbers) == 1)  # blanks before all belong to the first
            place = end
        words.numbers.append(numbers)
    if page.text[place:].strip():
        return None
    words.add_gap(page.text[place:])
    return words


WRITER = Writer(
    name="spacy", summary="spaCy's binary docs (.spacy), with doc._.relations of relsift's component; needs spaCy", suffix=".spacy",
    write=write, is_text=False, keeps=frozenset({
        "across", "sentences", "tokens", "plain_sentences", "plain_documents", "unrelated", "unannotated", "scores", "probabilities",
    }),
)  # fmt: skip
