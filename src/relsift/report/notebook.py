"""Sentences and tables for notebooks: the pages of this package in a frame, so that page and notebook keep their own styles and scripts.

The frame holds the whole page as an attribute: nothing is loaded, and what the data says stays text. Its `sandbox` lets the script draw
the arcs and lets it reach nothing outside the frame. Without scripts the page has the entities and a table of relations.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from html import escape

from relsift.report.page_frame import page_frame
from relsift.report.sentence_page import write_documents
from relsift.report.wording import counted
from relsift.schema import Document, Sentence

MOST_SENTENCES = 30  # shown; a page of more is slow beside others in one notebook
MOST_TOKENS = 3000  # shown; one sentence is shown in any case
_TOP, _SENTENCE, _LINE = 215, 160, 45  # pixels: of the page's top, of a sentence, of each further line of it
_TOKENS_A_LINE = 18
_LOWEST, _HIGHEST = 260, 640  # pixels of the frame; its content scrolls, and its corner can be pulled
_STRONGEST = 60  # percent of colour behind the token with the largest weight
_LEAST_SCALE = 1.0  # a largest weight below this has less colour: small numbers are not to look large


def document_html(document: Document) -> str:
    """The first sentences of a document with arcs, in a frame; what is left out is counted below it."""
    shown = _first(document.sentences)
    stream = io.StringIO()
    write_documents([replace(document, sentences=document.sentences[:shown], across=())], stream)
    lines = sum(len(sentence.tokens) // _TOKENS_A_LINE for sentence in document.sentences[:shown])
    return framed(stream.getvalue(), _TOP + _SENTENCE * max(shown, 1) + _LINE * lines, _note(document, shown))


def sentence_html(sentence: Sentence) -> str:
    """One sentence with arcs, in a frame."""
    return document_html(Document(sentence.doc_id or sentence.id, (sentence,)))


def framed(page: str, height: int, note: str = "") -> str:
    """Args: page: a whole HTML file. height: of its content, in pixels. note: below the frame, plain text."""
    whole = page.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half of a character cannot be sent to a notebook
    below = f'<p style="margin: 4px 0 0; font-size: 13px">{escape(note)}</p>' if note else ""
    return (
        f'<iframe srcdoc="{escape(whole)}" sandbox="allow-scripts" title="relsift" style="width: 100%; '
        f'height: {min(max(height, _LOWEST), _HIGHEST)}px; border: 0; resize: vertical; overflow: auto"></iframe>{below}'
    )


def weighted_tokens(sentence: Sentence, weights: Sequence[float]) -> str:
    """A paragraph of the sentence's tokens, coloured by weight: the first colour for positive ones, the second for negative ones.

    Args: weights: one a token, in log-odds. Each token shows its own when it is pointed at.
    """
    scale = max(_LEAST_SCALE, *map(abs, weights))
    parts = []
    for number, (token, weight) in enumerate(zip(sentence.tokens, weights, strict=True)):
        strength = round(_STRONGEST * abs(weight) / scale)
        colour = f"color-mix(in srgb, var(--{'found' if weight > 0 else 'missed'}) {strength}%, transparent)"
        blank = " " if sentence.has_blank_before(number) else ""
        parts.append(f'{blank}<span style="background: {colour}" title="{weight:+.2f}">{escape(token)}</span>')
    return f'<p class="text" dir="auto" style="--depths:0">{"".join(parts)}</p>\n'


def page_of(title: str, content: str) -> str:
    """A whole page without script, for `framed`. Args: content: HTML."""
    before, after = page_frame(title, styles=("page.css", "report.css"), body={"class": "report"})
    return f'{before}<header class="top"><h1>{escape(title)}</h1></header>\n<main>\n{content}</main>\n{after}'


def _first(sentences: Sequence[Sentence]) -> int:
    """How many sentences are shown."""
    tokens = 0
    for number, sentence in enumerate(sentences[:MOST_SENTENCES]):
        tokens += len(sentence.tokens)
        if number and tokens > MOST_TOKENS:
            return number
    return min(len(sentences), MOST_SENTENCES)


def _note(document: Document, shown: int) -> str:
    """What is not drawn; empty if all is. Args: shown: number of sentences that are."""
    sentences, notes = document.sentences[shown:], []
    if sentences:
        relations = sum(len(sentence.relations or ()) for sentence in sentences)
        rest = f"{counted(len(sentences), 'sentence')} with {counted(relations, 'relation')}"
        notes.append(f"Shown: the first {counted(shown, 'sentence')}. Left out here: {rest}.")
    if document.across:
        notes.append(f"Not drawn: {counted(len(document.across), 'relation')} across sentences.")
    return " ".join(notes)
