"""One self-contained HTML page: sentences with coloured entities and an arc for every relation, or for every agreement and error.

The page needs no network. Without JavaScript it shows the entities and a table of relations under each sentence; `page.js` draws
the arcs from where the browser has put the words, when a sentence comes into view, and draws them again when the width changes.
All text from the data reaches the page through `html.escape`, and a content security policy allows no script but ours.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from importlib.resources import files
from typing import Literal, TextIO

from relsift.errors import DataError, require
from relsift.schema import Document, Relation, Sentence, is_cjk
from relsift.writers.base import Writer

Direction = Literal["directed", "undirected"]
Kind = Literal["plain", "found", "missed", "spurious", "wrong"]
Summary = Mapping[str, str] | Sequence[Sequence[str]]

MEANING: dict[Kind, tuple[str, str]] = {  # kind -> name, explanation; the signs before the names are in page.css and page.js
    "found": ("found", "in gold and predicted"),
    "missed": ("missed", "in gold, not predicted"),
    "spurious": ("spurious", "predicted, not in gold"),
    "wrong": ("wrong type", "pair found, type differs: predicted ≠ gold"),
}
ENTITY_COLOURS = 8  # as many as page.css defines; further types start again, and each mention names its type
CJK_SHARE = 0.2  # a sentence with a larger share of Chinese characters is set as Chinese
UNBROKEN = 24  # columns (a Chinese character takes two); a mention up to here is kept on one line
CLOSING = (*",.;:!?%)]}’”", "'s", "n't", "'re", "'ve", "'ll", "'d", "'m")  # token starts with no blank before
OPENING = (*"([{“‘$£€",)  # token ends with no blank after


@dataclass(frozen=True, slots=True)
class Arc:
    """One relation to draw. `gold` and `predicted` are the types on either side; a plain arc has only `gold`."""

    kind: Kind
    head: int
    tail: int
    gold: str | None = None
    predicted: str | None = None
    score: float | None = None


@dataclass(slots=True)
class _Body:
    """The sentences written so far, and what the top of the page tells about them."""

    direction: Direction
    parts: list[str] = field(default_factory=list)
    num_sentences: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    entity_colour: dict[str, int] = field(default_factory=dict)

    def add(self, sentence: Sentence, arcs: Sequence[Arc] | None) -> None:
        """`arcs` None: the sentence is not annotated."""
        self.num_sentences += 1
        for entity in sentence.entities:
            self.entity_colour.setdefault(entity.type, len(self.entity_colour) % ENTITY_COLOURS)
        for arc in arcs or ():
            self.kinds[arc.kind] += 1
            self.types.update({t for t in (arc.gold, arc.predicted) if t is not None})
        self.parts.append(_article(sentence, arcs, self))


# ---- entry points ---------------------------------------------------------------------------------


def write(documents: Iterable[Document], stream: TextIO) -> None:
    """All sentences of `documents`, every relation as a plain arc. Held in memory: the top of the page counts what follows."""
    body = _Body("directed")
    for document in documents:
        body.parts.append(f'<h2 class="document">{escape(document.id)}</h2>')
        for sentence in document.sentences:
            relations = sentence.relations
            arcs = None if relations is None else [Arc("plain", r.head, r.tail, r.type, None, r.score) for r in relations]
            body.add(sentence, arcs)
    _write_page(stream, body, title="Relations", summary={})


def write_comparison(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    stream: TextIO,
    *,
    title: str,
    direction: Direction,
    summary: Summary = (),
) -> None:
    """Gold against predicted relations over the same sentences and entities, in the order given.

    Args:
        direction: "undirected" ignores which of the two entities is the head.
        summary: figures for the top of the page; name -> value, or the rows of a table of which the first is its head.
    Raises: DataError if the two sides differ in sentences, tokens or entities, or one is not annotated; ConfigError for another
        `direction`.
    """
    require(direction in ("directed", "undirected"), "direction", expected='"directed" or "undirected"', got=direction)
    if len(gold) != len(predicted):
        raise DataError(f"comparison: expected as many predicted as gold sentences ({len(gold)}), got {len(predicted)}")
    body = _Body(direction)
    for ours, theirs in zip(gold, predicted, strict=True):
        body.add(ours, compare(ours, theirs, direction))
    _write_page(stream, body, title=title, summary=summary)


def compare(gold: Sentence, predicted: Sentence, direction: Direction) -> list[Arc]:
    """Every relation of either side exactly once, in text order.

    Entities match by position. Types that a pair has on both sides are found; what is left over on both sides is joined to wrong
    types, in alphabetical order; the rest is missed or spurious. A relation stated twice counts once, with its best score.
    """
    _check_same(gold, predicted)
    sides: tuple[dict[tuple[int, int], dict[str, Relation]], ...] = (defaultdict(dict), defaultdict(dict))
    for side, sentence in zip(sides, (gold, predicted), strict=True):
        for r in sorted(sentence.relations or (), key=lambda r: -1.0 if r.score is None else r.score):
            pair = (r.head, r.tail) if direction == "directed" else (min(r.head, r.tail), max(r.head, r.tail))
            side[pair][r.type] = r
    arcs = [arc for pair in {**sides[0], **sides[1]} for arc in _compare_pair(sides[0][pair], sides[1][pair])]
    starts = [(entity.start, entity.end) for entity in gold.entities]
    return sorted(arcs, key=lambda a: (*sorted((starts[a.head], starts[a.tail])), a.gold or "", a.predicted or ""))


def _compare_pair(gold: Mapping[str, Relation], predicted: Mapping[str, Relation]) -> Iterator[Arc]:
    for type_ in sorted(gold.keys() & predicted.keys()):
        yield Arc("found", gold[type_].head, gold[type_].tail, type_, type_, predicted[type_].score)
    missed, spurious = sorted(gold.keys() - predicted.keys()), sorted(predicted.keys() - gold.keys())
    both = min(len(missed), len(spurious))
    for wanted, got in zip(missed[:both], spurious[:both], strict=True):
        yield Arc("wrong", predicted[got].head, predicted[got].tail, wanted, got, predicted[got].score)
    for type_ in missed[both:]:
        yield Arc("missed", gold[type_].head, gold[type_].tail, gold=type_)
    for type_ in spurious[both:]:
        yield Arc("spurious", predicted[type_].head, predicted[type_].tail, predicted=type_, score=predicted[type_].score)


def _check_same(gold: Sentence, predicted: Sentence) -> None:
    where = f"comparison, sentence {gold.id!r}"
    if (gold.id, gold.tokens) != (predicted.id, predicted.tokens):
        raise DataError(f"{where}: expected the same id and tokens on both sides, got predicted sentence {predicted.id!r}")
    spans = [[(e.start, e.end, e.type) for e in side.entities] for side in (gold, predicted)]
    if spans[0] != spans[1]:
        raise DataError(f"{where}: expected the same entities on both sides, got gold {spans[0]} and predicted {spans[1]}")
    for name, side in (("gold", gold), ("predicted", predicted)):
        if side.relations is None:
            raise DataError(f"{where}: expected {name} relations (an empty list for none), got a sentence that is not annotated")


# ---- one sentence ---------------------------------------------------------------------------------


def _article(sentence: Sentence, arcs: Sequence[Arc] | None, body: _Body) -> str:
    key = f"s{body.num_sentences}"
    depths = f"--depths:{max(_depths(sentence), default=0)}"
    text = _marked_text(sentence, body.entity_colour)
    document = "" if sentence.id.startswith(sentence.doc_id or "") else f"<span>{escape(sentence.doc_id or '')}</span>"
    return (
        f'<article class="sentence" id="{key}" aria-labelledby="{key}-id">\n'
        f'<h3 id="{key}-id"><a href="#{key}">{escape(sentence.id)}</a>{document}</h3>\n'
        f'<div class="stage"><p class="text" lang="{_language(sentence)}" style="{depths}">{text}</p></div>\n'
        f"{_relations(sentence, arcs, body.direction)}</article>\n"
    )


def _language(sentence: Sentence) -> str:
    characters = "".join(sentence.tokens)
    return "zh" if sum(map(is_cjk, characters)) > CJK_SHARE * len(characters) else "en"


def _marked_text(sentence: Sentence, colour: Mapping[str, int]) -> str:
    """The sentence as HTML, an element around every mention.

    Mentions that cross are cut into pieces that nest: `data-e` says which belong together, the last one has `data-type`.
    The first token of a mention is an element too: there `page.js` can raise a line without changing where it breaks.
    """
    entities = sentence.entities
    depth = _depths(sentence)
    opened: list[int] = []  # entity indices, outermost first
    begun: set[int] = set()
    html: list[str] = []

    def open_(index: int) -> None:
        part = (" whole" if _columns(_mention(sentence, index)) <= UNBROKEN else "") + (" continued" if index in begun else "")
        # The type stands on the last piece: the one that no entity opened earlier, and closing earlier, will cut again.
        last = all(entities[other].end >= entities[index].end for other in opened)
        label = f' data-type="{escape(entities[index].type)}"' if last else ""
        subtype = entities[index].subtype
        tip = entities[index].type + (f" / {subtype}" if subtype else "")
        html.append(
            f'<span class="e c{colour[entities[index].type]}{part}{"" if last else " unfinished"}" data-e="{index}"{label} '
            f'style="--depth:{depth[index]}" title="{escape(tip)}">'
        )
        begun.add(index)
        opened.append(index)

    for position, token in enumerate(sentence.tokens):
        reopen: list[int] = []
        while any(entities[index].end == position for index in opened):
            index = opened.pop()
            html.append("</span>")
            if entities[index].end > position:
                reopen.append(index)
        for index in reversed(reopen):
            open_(index)
        if position > 0 and _blank_between(sentence, position):
            html.append(" ")
        starting = [index for index, entity in enumerate(entities) if entity.start == position]
        for index in sorted(starting, key=lambda index: -entities[index].end):
            open_(index)
        html.append(f'<span class="first">{escape(token)}</span>' if starting else escape(token))
    html.append("</span>" * len(opened))
    return "".join(html)


def _columns(text: str) -> int:
    return sum(2 if is_cjk(character) else 1 for character in text)


def _depths(sentence: Sentence) -> list[int]:
    """How far to draw each mention's box around the text: 0 innermost, never the same for two that overlap."""
    entities = sentence.entities
    depth: dict[int, int] = {}
    for index in sorted(range(len(entities)), key=lambda index: entities[index].end - entities[index].start):
        start, end = entities[index].start, entities[index].end
        taken = {depth[other] for other in depth if entities[other].start < end and start < entities[other].end}
        depth[index] = next(free for free in range(len(taken) + 1) if free not in taken)
    return [depth[index] for index in range(len(entities))]


def _blank_between(sentence: Sentence, position: int) -> bool:
    """Whether a blank stands before token `position`: as in the original text if known, else as one would print it."""
    if sentence.offsets is not None:
        return sentence.offsets[position - 1][1] < sentence.offsets[position][0]
    before, after = sentence.tokens[position - 1], sentence.tokens[position]
    if not before or not after or (is_cjk(before[-1]) and is_cjk(after[0])):
        return False
    return not (after.startswith(CLOSING) or before in OPENING)


def _relations(sentence: Sentence, arcs: Sequence[Arc] | None, direction: Direction) -> str:
    if not arcs:
        return f'<p class="none">{"Not annotated." if arcs is None else "No relations."}</p>'
    counts = Counter(arc.kind for arc in arcs)
    if counts["plain"]:
        said = _counted(len(arcs), "relation")
    else:
        named = ((kind, name) for kind, (name, _) in MEANING.items() if counts[kind])
        said = " · ".join(f'<span class="kind {kind}">{counts[kind]} {name}</span>' for kind, name in named)
    result = "" if counts["plain"] else "<th>result</th>"
    ends = ("head", "tail") if direction == "directed" else ("entity", "entity")
    return (
        f'<details class="relations" open><summary>{said}</summary>\n<table><thead><tr>{result}<th>{ends[0]}</th>'
        f"<th>relation</th><th>{ends[1]}</th><th>score</th></tr></thead><tbody>\n"
        + "".join(_row(sentence, arc) for arc in arcs)
        + "</tbody></table></details>\n"
    )


def _row(sentence: Sentence, arc: Arc) -> str:
    head, tail = (escape(_mention(sentence, index)) for index in (arc.head, arc.tail))
    result = f'<td class="kind {arc.kind}">{MEANING[arc.kind][0]}</td>' if arc.kind in MEANING else ""
    types = [f' data-{side}="{escape(t)}"' for side, t in (("gold", arc.gold), ("predicted", arc.predicted)) if t is not None]
    label = escape(arc.predicted or arc.gold or "")
    if arc.kind == "wrong":
        label += f' <span class="instead">gold: {escape(arc.gold or "")}</span>'
    score = "" if arc.score is None else f"{arc.score:.2f}"
    return (
        f'<tr data-kind="{arc.kind}" data-head="{arc.head}" data-tail="{arc.tail}"{"".join(types)}>'
        f'{result}<td>{head}</td><td class="label">{label}</td><td>{tail}</td><td class="score">{score}</td></tr>\n'
    )


def _mention(sentence: Sentence, index: int) -> str:
    entity = sentence.entities[index]
    blanks = (" " if i > entity.start and _blank_between(sentence, i) else "" for i in range(entity.start, entity.end))
    return "".join(blank + token for blank, token in zip(blanks, sentence.tokens[entity.start : entity.end]))


# ---- the page around them -------------------------------------------------------------------------


def _write_page(stream: TextIO, body: _Body, *, title: str, summary: Summary) -> None:
    script = resource("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    stream.write(
        f'<!DOCTYPE html>\n<html lang="en" data-direction="{body.direction}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{resource('page.css')}</style>\n</head>\n<body>\n"
        f'<header class="top"><h1>{escape(title)}</h1>\n<p class="about">{_about(body)}</p>\n{_summary(summary)}</header>\n'
        f'{_controls(body)}<main id="sentences">\n'
    )
    stream.writelines(body.parts)
    stream.write('<p class="none" id="nothing" hidden>No sentence matches.</p>\n</main>\n')
    stream.write(f"<script>{script}</script>\n</body>\n</html>\n")


@cache
def resource(name: str) -> str:
    return files("relsift.writers").joinpath(name).read_text(encoding="utf-8")


def _about(body: _Body) -> str:
    parts = [_counted(body.num_sentences, "sentence")]
    if body.kinds["plain"] or not body.kinds:
        parts.append(_counted(body.kinds["plain"], "relation"))
    else:
        agreed = body.kinds["found"] + body.kinds["wrong"]
        in_gold = _counted(agreed + body.kinds["missed"], "relation")
        parts.append(f"{in_gold} in gold, {agreed + body.kinds['spurious']:,} predicted")
        parts.append(f"compared {body.direction}")
    return " · ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
    """Legend and filters in one: each class is named, counted, drawn, and can be chosen."""
    choices = "" if body.kinds["plain"] or not body.kinds else _choices(body)
    options = "".join(f'<option value="{escape(t)}">{escape(t)} ({n:,})</option>' for t, n in sorted(body.types.items()))
    types = "".join(f'<li><span class="e c{c}" style="--depth:0">{escape(t)}</span></li>' for t, c in body.entity_colour.items())
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


WRITER = Writer(name="html", summary="one self-contained page with entities and relation arcs", suffix=".html", write=write)
