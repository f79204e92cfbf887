"""One sentence as HTML: its entities marked in the text, and a table of its relations from which `page.js` draws the arcs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from relsift.candidates import Direction
from relsift.report.arcs import MEANING, Arc
from relsift.report.merged_entities import Presence
from relsift.report.wording import counted, display_width
from relsift.schema import Entity, Sentence
from relsift.token_text import is_cjk

CJK_SHARE = 0.2  # a sentence with a larger share of Chinese characters is set as Chinese
ENTITY_MARK = {"": "", "missed": "○ ", "spurious": "+ "}  # before the type; the same signs as of relations
UNBROKEN = 24  # columns (a Chinese character takes two); a mention of at most this width is not broken across lines


def article(
    sentence: Sentence,
    arcs: Sequence[Arc] | None,
    *,
    key: str,
    colours: Mapping[str, int],
    direction: Direction,
    presence: Sequence[Presence] | None = None,
) -> str:
    """An `<article>` element.

    Args:
        arcs: None if the sentence is not annotated.
        key: of the element, unique on its page.
        colours: entity type -> number of its colour in page.css.
        direction: "undirected" calls both ends of a relation its entities.
        presence: of each entity, on the two sides that are compared; None: they have the same entities.
    """
    depths = f"--depths:{max(_depths(sentence), default=0)}"
    text = _marked_text(sentence, colours, presence)
    document = "" if sentence.id.startswith(sentence.doc_id or "") else f"<span>{escape(sentence.doc_id or '')}</span>"
    return (
        f'<article class="sentence" id="{key}" aria-labelledby="{key}-id">\n'
        f'<h3 id="{key}-id"><a href="#{key}">{escape(sentence.id)}</a>{document}</h3>\n'
        f'<div class="stage"><p class="text" lang="{_language(sentence)}" style="{depths}">{text}</p></div>\n'
        f"{_relations(sentence, arcs, direction)}</article>\n"
    )


def _language(sentence: Sentence) -> str:
    characters = "".join(sentence.tokens)
    return "zh" if sum(map(is_cjk, characters)) > CJK_SHARE * len(characters) else "en"


def _marked_text(sentence: Sentence, colours: Mapping[str, int], presence: Sequence[Presence] | None) -> str:
    """The sentence as HTML, an element around every mention.

    Mentions that cross are cut into pieces that nest. Pieces of one mention have the same `data-e`; the last one has `data-type`.
    The first token of a mention is an element too, so that `arcs.js` can make its line higher without changing line breaks.
    """
    entities = sentence.entities
    depth = _depths(sentence)
    opened: list[int] = []  # entity indices, outermost first
    begun: set[int] = set()
    parts: list[str] = []

    def open_(index: int) -> None:
        is_short = display_width(sentence.text_of(entities[index])) <= UNBROKEN
        on_one_side = "" if presence is None or presence[index] == "found" else f" {presence[index]}"
        classes = (" whole" if is_short else "") + (" continued" if index in begun else "") + on_one_side
        # The type is on the last piece: no entity that was opened before it and closes earlier will cut it again.
        last = all(entities[other].end >= entities[index].end for other in opened)
        label = f' data-type="{ENTITY_MARK[on_one_side.strip()]}{escape(entities[index].type)}"' if last else ""
        tip = _tip(entities[index]) + (f", {MEANING[presence[index]][1]}" if presence is not None and on_one_side else "")
        parts.append(
            f'<span class="e c{colours[entities[index].type]}{classes}{"" if last else " unfinished"}" data-e="{index}"{label} '
            f'style="--depth:{depth[index]}" title="{escape(tip)}">'
        )
        begun.add(index)
        opened.append(index)

    for position, token in enumerate(sentence.tokens):
        reopen: list[int] = []
        while any(entities[index].end == position for index in opened):
            index = opened.pop()
            parts.append("</span>")
            if entities[index].end > position:
                reopen.append(index)
        for index in reversed(reopen):
            open_(index)
        if sentence.has_blank_before(position):
            parts.append(" ")
        starting = [index for index, entity in enumerate(entities) if entity.start == position]
        for index in sorted(starting, key=lambda index: -entities[index].end):
            open_(index)
        parts.append(f'<span class="first">{escape(token)}</span>' if starting else escape(token))
    parts.append("</span>" * len(opened))
    return "".join(parts)


def _tip(entity: Entity) -> str:
    """What a mention shows beside its type."""
    score = "" if entity.score is None else f", score {entity.score:.2f}"
    return entity.type + (f" / {entity.subtype}" if entity.subtype else "") + score


def _depths(sentence: Sentence) -> list[int]:
    """The depth of each mention's box: 0 is drawn innermost. Mentions that overlap have different depths."""
    entities = sentence.entities
    depth: dict[int, int] = {}
    for index in sorted(range(len(entities)), key=lambda index: entities[index].end - entities[index].start):
        start, end = entities[index].start, entities[index].end
        taken = {depth[other] for other in depth if entities[other].start < end and start < entities[other].end}
        depth[index] = next(level for level in range(len(taken) + 1) if level not in taken)
    return [depth[index] for index in range(len(entities))]


def _relations(sentence: Sentence, arcs: Sequence[Arc] | None, direction: Direction) -> str:
    if not arcs:
        return f'<p class="none">{"Not annotated." if arcs is None else "No relations."}</p>'
    counts = Counter(arc.kind for arc in arcs)
    if counts["plain"]:
        summary = counted(len(arcs), "relation")
    else:
        named = ((kind, name) for kind, (name, _) in MEANING.items() if counts[kind])
        summary = " · ".join(f'<span class="kind {kind}">{counts[kind]} {name}</span>' for kind, name in named)
    result = "" if counts["plain"] else "<th>result</th>"
    ends = ("head", "tail") if direction == "directed" else ("entity", "entity")
    return (
        f'<details class="relations" open><summary>{summary}</summary>\n<table><thead><tr>{result}<th>{ends[0]}</th>'
        f"<th>relation</th><th>{ends[1]}</th><th>score</th></tr></thead><tbody>\n"
        + "".join(_row(sentence, arc) for arc in arcs)
        + "</tbody></table></details>\n"
    )


def _row(sentence: Sentence, arc: Arc) -> str:
    head, tail = (escape(sentence.text_of(sentence.entities[index])) for index in (arc.head, arc.tail))
    result = f'<td class="kind {arc.kind}">{MEANING[arc.kind][0]}</td>' if arc.kind in MEANING else ""
    types = [f' data-{side}="{escape(t)}"' for side, t in (("gold", arc.gold), ("predicted", arc.predicted)) if t is not None]
    label = escape(arc.predicted or arc.gold or "")
    if arc.kind == "wrong":
        label += f' <span class="instead">gold: {escape(arc.gold or "")}</span>'
    score = "" if arc.score is None else f"{arc.score:.2f}"
    score += "" if arc.probability is None else f" ({100 * arc.probability:.0f} %)"
    return (
        f'<tr data-kind="{arc.kind}" data-head="{arc.head}" data-tail="{arc.tail}"{"".join(types)}>'
        f'{result}<td>{head}</td><td class="label">{label}</td><td>{tail}</td><td class="score">{score}</td></tr>\n'
    )
