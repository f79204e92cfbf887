"""Labels that say "these two are not related": taken out on request, and pointed out where they are taken for relations.

Many corpora write out what relsift leaves unsaid: TACRED and KBP37 have `no_relation`, others `NA`, `Other` or `None`. Trained as a
relation, such a label is the most frequent of all, and scores mean little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence

# Compared in lower case, letters and digits only. "other" is listed since corpora use it for "none of ours" more than for a relation.
_NAMES = frozenset((
    "norelation", "norel", "norelations", "norelationship", "nonrelation", "nonrelated", "notrelated", "unrelated", "notarelation",
    "na", "nan", "none", "null", "nil", "no", "other", "others", "unknown", "unk", "undefined", "noneoftheabove", "nota", "nolabel",
    "false", "negative", "无", "无关", "无关系", "没有关系", "不相关", "未知", "未知关系", "其他", "其它", "其他关系", "否",
))  # fmt: skip


def looks_like_no_relation(name: str) -> bool:
    """Whether a relation type has a name that usually means: no relation. `Other(e1,e2)` is taken as `Other`."""
    plain = "".join(filter(str.isalnum, name.partition("(")[0].casefold()))
    return plain in _NAMES


def no_relation_warnings(types: Iterable[str]) -> list[str]:
    """One line for each relation type that looks like no relation, in alphabetical order."""
    return [
        f"the relation type {name!r} looks like a label for unrelated pairs, but is trained and scored like any other; "
        f"if it means no relation, add --no-relation {_quoted(name)}"
        for name in sorted(set(types))
        if looks_like_no_relation(name)
    ]


def reason(name: str) -> str:
    """Under which `ReadReport` counts the relations of the type `name` that were taken out."""
    return f"relations of the type {name!r} (--no-relation: such pairs are unrelated)"


def never_seen(names: Iterable[str], report: ReadReport) -> list[str]:
    """One line for each name that no relation had once everything is read: most likely a slip of the pen."""
    return [
        f"--no-relation {_quoted(name)}: the data has no relation of this type; check the spelling, upper and lower case count"
        for name in dict.fromkeys(names)
        if not report.dropped[reason(name)]
    ]


def without_types(documents: Iterable[Document], names: Collection[str], report: ReadReport) -> Iterator[Document]:
    """The same documents without relations of these types, each counted. A pair that is left without one counts as annotated, unrelated."""
    for document in documents:
        _forget_lost(names, report)
        across = tuple(relation for relation in document.across if relation.type not in names)
        of_concepts = document.concept_relations
        if of_concepts is not None:
            of_concepts = tuple(relation for relation in of_concepts if relation.type not in names)
        sentences = tuple(_without(sentence, names, report) for sentence in document.sentences)
        yield replace(document, sentences=sentences, across=across, concept_relations=of_concepts)
    _forget_lost(names, report)


def _without(sentence: Sentence, names: Collection[str], report: ReadReport) -> Sentence:
    removed = [relation for relation in sentence.relations or () if relation.type in names]
    if not removed:
        return sentence
    for relation in removed:
        report.drop(reason(relation.type), f"sentence {sentence.id}")
    return replace(sentence, relations=tuple(relation for relation in sentence.relations or () if relation.type not in names))


def _forget_lost(names: Collection[str], report: ReadReport) -> None:
    for name in names:  # the reader could not keep one: nothing is missed where there is no relation
        report.lost_relations.pop(name, None)


def _quoted(name: str) -> str:
    return name if name.isidentifier() else repr(name)
