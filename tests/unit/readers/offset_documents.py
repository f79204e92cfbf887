"""Random documents with mentions and relations, for readers of formats with offsets: emoji, combining characters, marks of the formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from relsift.schema import Document

# No mark that ends a sentence: a line is one sentence.
WORDS = (
    "Ada", "mill", "😀", "e\u0301t", "naïve", "汉字", "👩\u200d🚀", "क\u093f", '"x"', "a&b", "<c>", "d\\", "e|f", "g_h", "*", "[1]",
    "->", "k;l",
)  # fmt: skip
TYPES = ("Person", "Place")


@dataclass(frozen=True)
class Mention:
    """A mention by words of a line, and by characters of the text."""

    line: int
    first: int
    after: int
    start: int
    end: int
    type: str


@dataclass(frozen=True)
class Marked:
    """Lines of words with a blank between, mentions on them, and relations of two mentions of one line."""

    lines: tuple[tuple[str, ...], ...]
    mentions: tuple[Mention, ...]
    relations: tuple[tuple[int, int, str], ...]

    @property
    def rows(self) -> list[str]:
        return [" ".join(line) for line in self.lines]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    def words(self, mention: Mention) -> str:
        return self.text[mention.start : mention.end]


@st.composite
def marked_documents(draw: st.DrawFn, most_lines: int = 3) -> Marked:
    lines = tuple(tuple(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))) for _ in range(draw(st.integers(1, most_lines))))
    starts = [sum(len(" ".join(line)) + 1 for line in lines[:number]) for number in range(len(lines))]
    mentions = []
    for _ in range(draw(st.integers(0, 5))):
        line = draw(st.integers(0, len(lines) - 1))
        first = draw(st.integers(0, len(lines[line]) - 1))
        after = draw(st.integers(first + 1, len(lines[line])))
        start = starts[line] + sum(len(word) + 1 for word in lines[line][:first])
        end = start + len(" ".join(lines[line][first:after]))
        mentions.append(Mention(line, first, after, start, end, draw(st.sampled_from(TYPES))))
    mentions = list({(m.start, m.end): m for m in mentions}.values())
    pairs = [(a, b) for a in range(len(mentions)) for b in range(len(mentions)) if a != b and mentions[a].line == mentions[b].line]
    relations = draw(st.lists(st.sampled_from(pairs), max_size=4, unique=True)) if pairs else []
    return Marked(lines, tuple(mentions), tuple((a, b, draw(st.sampled_from(("knows", "near")))) for a, b in relations))


def counted(text: str, unit: str) -> int:
    """The length of a text in characters, UTF-16 units or bytes."""
    return {"characters": len(text), "utf16": len(text.encode("utf-16-le")) // 2, "bytes": len(text.encode())}[unit]


def expected(marked: Marked) -> tuple[list[tuple[int, int, str]], set[tuple[int, int, int, int, str]]]:
    """Mentions, and relations, by characters."""
    spans = [(m.start, m.end) for m in marked.mentions]
    return sorted((m.start, m.end, m.type) for m in marked.mentions), {(*spans[a], *spans[b], kind) for a, b, kind in marked.relations}


def found(documents: Sequence[Document]) -> tuple[list[tuple[int, int, str]], set[tuple[int, int, int, int, str]]]:
    """The same of the only document that was read."""
    (document,) = documents
    entities, relations = [], set()
    for sentence in document.sentences:
        spans = [sentence.characters_of(entity) or (-1, -1) for entity in sentence.entities]
        entities += [(*span, entity.type) for span, entity in zip(spans, sentence.entities)]
        relations |= {(*spans[r.head], *spans[r.tail], r.type) for r in sentence.relations or ()}
    return sorted(entities), relations
