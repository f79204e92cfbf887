"""Write into docs/start/demo_models.md what the models that come with relsift find in four short texts: python benchmarks/shipped_page.py

Two texts, in `pages`, are written in the style of gazette and annotated by hand, so that each relation that is found can be called right or
wrong. Two are from books.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from measure import write_between

from relsift.corpora.data import resolve
from relsift.extractor import RelationExtractor
from relsift.readers.base import ReadReport
from relsift.schema import Document
from relsift.shipped import shipped_models
from relsift.views import EntityView, RelationView

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "start" / "demo_models.md"
PAGES = Path(__file__).parent / "pages"
RIGHT, NEARLY, WRONG = "right", "right but for the words or the type of an entity", "wrong"


def annotated_page(name: str) -> Document:
    """The page of a model with its relations as a person sees them."""
    [document] = resolve(f"gazette:{PAGES / name}.txt").documents(None, ReadReport())
    return document


def verdict(found: RelationView, gold: Document) -> str:
    """Whether a person has annotated this relation too."""
    same_type = [relation for relation in gold.relations if relation.type == found.type]
    if any(_key(relation) == _key(found) for relation in same_type):
        return RIGHT
    return NEARLY if any(_overlap(relation, found) for relation in same_type) else WRONG


def _key(relation: RelationView) -> tuple[object, ...]:
    return tuple((end.start, end.end, end.type) for end in (relation.head, relation.tail))


def _overlap(one: RelationView, other: RelationView) -> bool:
    return all(_characters(a) & _characters(b) for a, b in ((one.head, other.head), (one.tail, other.tail)))


def _characters(entity: EntityView) -> set[int]:
    assert entity.start is not None and entity.end is not None
    return set(range(entity.start, entity.end))


def annotated_block(name: str, file: str) -> str:
    """The page, the command, and the relations found, each with its verdict."""
    gold = annotated_page(name)
    document = RelationExtractor.from_pretrained(name)(gold.text or "")
    rows = [(relation, verdict(relation, gold)) for relation in document.relations]
    reached = [relation for relation in gold.relations if any(_key(relation) == _key(found) for found in document.relations)]
    lines = [
        "```sh", f"cat > {file} <<'END'", (gold.text or "").strip(), "END",
        f"relsift predict {name} {file} --out {Path(file).stem}.html", "```", "", "| head | relation | tail | |", "|---|---|---|---|",
        *(f"| {relation.head.text} | {relation.type} | {relation.tail.text} | {word} |" for relation, word in rows),
        "", f"The page states {len(gold.relations)} relations. {len(reached)} of them are found as they stand, and "
        f"{sum(word == WRONG for _, word in rows)} of the {len(rows)} that are found are wrong.",
    ]  # fmt: skip
    return "\n".join(lines)


def book_block(model: str, name: str) -> str:
    """What is found in a text from a book."""
    text = (PAGES / f"{name}.txt").read_text(encoding="utf-8").strip()
    document = RelationExtractor.from_pretrained(model)(text)
    entities = " · ".join(f"{entity.text} ({entity.type})" for entity in document.entities)
    relations = [f"{relation.head.text} — {relation.type} → {relation.tail.text}" for relation in document.relations]
    return "\n".join([f"> {text}", "", "```text", f"entities   {entities}", *_labelled("relations", relations or ["none"]), "```"])


def _labelled(label: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{'' if number else label:<11}{line}"


def scores_block() -> str:
    """The scores that the models carry, and what they learned from."""
    rows = []
    for name in shipped_models():
        about = RelationExtractor.from_pretrained(name).bundle.about
        data = resolve(about["data"])
        sentences = sum(len(document.sentences) for part in about["parts"] for document in data.documents(part, ReadReport()))
        scores = about["scores"]["test"]
        rows.append(f"| `{name}` | {sentences} | {scores['entities']['f1']} | {scores['relations']['f1']} |")
    return "\n".join([
        "| | training sentences | entities, F1 | relations between found entities, F1 |", "|---|---|---|---|", *rows, "",
        "The scores are micro F1 in per cent on the test part of gazette. A relation counts if its type is right, and so are the words and",
        "types of both entities. `relsift evaluate demo-en gazette-en` computes them anew.",
    ])  # fmt: skip


def main() -> None:
    write_between(("<!-- scores of the demos -->", "<!-- end of scores of the demos -->"), PAGE, scores_block())
    for model, file in (("demo-en", "page.txt"), ("demo-zh", "page-zh.txt")):
        language = model.removeprefix("demo-")
        for what, text in (("page", annotated_block(model, file)), ("book", book_block(model, f"real-{language}"))):
            write_between((f"<!-- {what} of {model} -->", f"<!-- end of {what} of {model} -->"), PAGE, text)


if __name__ == "__main__":
    main()
