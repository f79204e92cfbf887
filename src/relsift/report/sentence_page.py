"""Sentences as one self-contained HTML page: coloured entities, and an arc for every relation, or for every agreement and error.

The page needs no network. Without JavaScript it has the entities and a table of relations under each sentence. `page.js` draws the arcs
when a sentence comes into view, from the positions of the words, and draws them again when the width changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TextIO

from relsift.candidates import DIRECTIONS, Direction
from relsift.errors import DataError, require
from relsift.evaluation.scores import Entities, Match
from relsift.report.arcs import MEANING, Arc, Kind, compared_arcs, plain_arcs
from relsift.report.merged_entities import Presence, merge
from relsift.report.page_frame import page_frame
from relsift.report.sentence_html import article
from relsift.report.wording import counted
from relsift.schema import Document, Sentence

Summary = Mapping[str, str] | Sequence[Sequence[str]]

ENTITY_COLOURS = 8  # as many as page.css defines; further types repeat them, and each mention names its type


@dataclass(slots=True)
class _Body:
    """The sentences so far, and the numbers for the top of the page."""

    direction: Direction
    parts: list[str] = field(default_factory=list)                # HTML, in the order of the page
    num_sentences: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)         # of all arcs
    entities: Counter[Presence] = field(default_factory=Counter)  # of both sides, where they may differ
    types: Counter[str] = field(default_factory=Counter)          # relation type -> arcs that have it on either side
    entity_colours: dict[str, int] = field(default_factory=dict)  # entity type -> number of its colour

    def add(self, sentence: Sentence, arcs: Sequence[Arc] | None, presence: Sequence[Presence] | None = None) -> None:
        """Args: arcs: None if the sentence is not annotated. presence: of each entity, where the two sides have their own."""
        self.entities.update(presence or ())
        self.num_sentences += 1
        for entity in sentence.entities:
            self.entity_colours.setdefault(entity.type, len(self.entity_colours) % ENTITY_COLOURS)
        for arc in arcs or ():
            self.kinds[arc.kind] += 1
            self.types.update({t for t in (arc.gold, arc.predicted) if t is not None})
        key = f"s{self.num_sentences}"
        self.parts.append(
            article(sentence, arcs, key=key, colours=self.entity_colours, direction=self.direction, presence=presence)
        )


def write_documents(documents: Iterable[Document], stream: TextIO) -> None:
    """All sentences of `documents`, every relation as a plain arc. They are held in memory, since the top of the page has their numbers."""
    body = _Body("directed")
    for document in documents:
        body.parts.append(f'<h2 class="document">{escape(document.id)}</h2>')
        for sentence in document.sentences:
            body.add(sentence, plain_arcs(sentence))
    _write_page(stream, body, title="Relations", summary={})


def write_comparison(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    stream: TextIO,
    *,
    title: str,
    direction: Direction,
    summary: Summary = (),
    entities: Entities = "gold",
    match: Match = "strict",
) -> None:
    """Gold against predicted relations over the same sentences, in the order given.

    Args:
        direction: "undirected" ignores which of the two entities is the head.
        entities: with "predicted" the two sides may have their own entities, and each entity shows which side has it.
        match: which of these are the same, as of `evaluate`.
        summary: figures for the top of the page; name -> value, or the rows of a table of which the first is its head.
    Raises: DataError if the two sides differ in sentences, tokens or, with gold entities, entities, or one is not annotated; ConfigError
        for another `direction`.
    """
    require(direction in DIRECTIONS, "direction", expected='"directed" or "undirected"', got=direction)
    if len(gold) != len(predicted):
        raise DataError(f"comparison: expected as many predicted as gold sentences ({len(gold)}), got {len(predicted)}")
    body = _Body(direction)
    for gold_sentence, predicted_sentence in zip(gold, predicted, strict=True):
        if entities == "gold":
            body.add(gold_sentence, compared_arcs(gold_sentence, predicted_sentence, direction))
            continue
        merged = merge(gold_sentence, predicted_sentence, match)
        arcs = compared_arcs(gold_sentence, predicted_sentence, direction, merged)
        body.add(replace(gold_sentence, entities=merged.entities, relations=()), arcs, merged.presence)
    _write_page(stream, body, title=title, summary=summary)


def _write_page(stream: TextIO, body: _Body, *, title: str, summary: Summary) -> None:
    before, after = page_frame(
        title, styles=("page.css", "arcs.css"), scripts=("arcs.js", "page.js"), root={"data-direction": body.direction}
    )
    stream.write(
        f'{before}<header class="top"><h1>{escape(title)}</h1>\n<p class="about">{_about(body)}</p>\n{_summary(summary)}</header>\n'
        f'{_controls(body)}<main id="sentences">\n'
    )
    stream.writelines(body.parts)
    stream.write(f'<p class="none" id="nothing" hidden>No sentence matches.</p>\n</main>\n{after}')


def _about(body: _Body) -> str:
    parts = [counted(body.num_sentences, "sentence")]
    if body.kinds["plain"] or not body.kinds:
        parts.append(counted(body.kinds["plain"], "relation"))
    else:
        on_both_sides = body.kinds["found"] + body.kinds["wrong"]
        in_gold = counted(on_both_sides + body.kinds["missed"], "relation")
        parts.append(f"{in_gold} in gold, {on_both_sides + body.kinds['spurious']:,} predicted")
        if body.entities:
            in_gold = counted(body.entities["found"] + body.entities["missed"], "entity", "entities")
            parts.append(f"{in_gold} in gold, {body.entities['found'] + body.entities['spurious']:,} predicted")
        parts.append(f"compared {body.direction}")
    return " · ".join(parts)


def _summary(summary: Summary) -> str:
    if isinstance(summary, Mapping):
        figures = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in summary.items())
        return f'<dl class="summary">{figures}</dl>\n' if figures else ""
    if not summary:
        return ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in summary[0])
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in summary[1:])
    return f'<table class="summary"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>\n'


def _controls(body: _Body) -> str:
    """Legend and filters: each class with its name, number and line, to be chosen."""
    choices = "" if body.kinds["plain"] or not body.kinds else _choices(body)
    options = "".join(f'<option value="{escape(t)}">{escape(t)} ({n:,})</option>' for t, n in sorted(body.types.items()))
    types = "".join(f'<li><span class="e c{c}" style="--depth:0">{escape(t)}</span></li>' for t, c in body.entity_colours.items())
    return (
        f'<form class="controls" aria-label="Legend and filters">{choices}\n<div class="second">'
        f'<label class="script">Relation type <select id="type"><option value="">all</option>{options}</select></label>\n'
        f'<output class="script" id="shown" aria-live="polite"></output>\n'
        f'<ul class="entities" aria-label="Entity types">{types}</ul></div>\n</form>\n'
    )


def _choices(body: _Body) -> str:
    total = body.kinds.total()
    rows = [("all", "all", "every sentence", total)]
    rows += [("errors", "any error", "missed, spurious or wrong type", total - body.kinds["found"])]
    rows += [(kind, name, meaning, body.kinds[kind]) for kind, (name, meaning) in MEANING.items()]
    return f'<fieldset class="kinds"><legend>Show sentences with</legend>{"".join(_choice(*row) for row in rows)}</fieldset>'


def _choice(value: str, name: str, meaning: str, count: int) -> str:
    line = '<svg class="line" viewBox="0 0 34 13" aria-hidden="true"><path d="M2 12V8Q2 3 8 3H26Q32 3 32 8V12"/></svg>'
    checked = " checked" if value == "all" else ""
    return (
        f'<label class="kind {value}" title="{meaning}"><input type="radio" name="show" value="{value}"{checked}>'
        f'{line if value in MEANING else ""}<span class="name">{name}</span> <b data-count="{value}">{count:,}</b></label>'
    )
