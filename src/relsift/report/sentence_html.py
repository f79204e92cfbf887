"""One sentence as HTML: its entities marked in the text, and a table of its relations from which `page.js` draws the arcs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from relsift.candidates import Direction
from relsift.report.arcs import MEANING, Arc
from relsift.report.wording import counted, display_width
from relsift.schema import Sentence, is_cjk

CJK_SHARE = 0.2  # a sentence with a larger share of Chinese characters is set as Chinese
UNBROKEN = 24  # columns (a Chinese character takes two); a mention up to here is kept on one line
CLOSING = (*",.;:!?%)]}’”", "'s", "n't", "'re", "'ve", "'ll", "'d", "'m")  # token starts with no blank before
OPENING = (*"([{“‘$£€",)  # token ends with no blank after


def article(sentence: Sentence, arcs: Sequence[Arc] | None, *, key: str, colours: Mapping[str, int], direction: Direction) -> str:
    """An `<article>` element.

    Args:
        arcs: None if the sentence is not annotated.
        key: of the element, unique on its page.
        colours: entity type -> number of its colour in page.css.
        direction: "undirected" calls both ends of a relation its entities.
    """
    depths = f"--depths:{max(_depths(sentence), default=0)}"
    text = _marked_text(sentence, colours)
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


def _marked_text(sentence: Sentence, colours: Mapping[str, int]) -> str:
    """The sentence as HTML, an element around every mention.

    Mentions that cross are cut into pieces that nest: `data-e` says which belong together, the last one has `data-type`.
    The first token of a mention is an element too: there `page.js` can raise a line without changing where it breaks.
    """
    entities = sentence.entities
    depth = _depths(sentence)
    opened: list[int] = []  # entity indices, outermost first
    begun: set[int] = set()
    parts: list[str] = []

    def open_(index: int) -> None:
        classes = (" whole" if display_width(_mention(sentence, index)) <= UNBROKEN else "") + (" continued" if index in begun else "")
        # The type stands on the last piece: the one that no entity opened earlier, and closing earlier, will cut again.
        last = all(entities[other].end >= entities[index].end for other in opened)
        label = f' data-type="{escape(entities[index].type)}"' if last else ""
        subtype = entities[index].subtype
        tip = entities[index].type + (f" / {subtype}" if subtype else "")
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
        if position > 0 and _blank_between(sentence, position):
            parts.append(" ")
        starting = [index for index, entity in enumerate(entities) if entity.start == position]
        for index in sorted(starting, key=lambda index: -entities[index].end):
            open_(index)
        parts.append(f'<span class="first">{escape(token)}</span>' if starting else escape(token))
    parts.append("</span>" * len(opened))
    return "".join(parts)


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
