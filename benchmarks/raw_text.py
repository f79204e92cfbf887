"""How much of a model's F1 is lost on the way from raw text: to entities, to tokens, to sentences.

    python benchmarks/raw_text.py RUN CORPUS/PART NAME [--entities-from SPEC …] [--types FILE] [--splitter SPEC] [--join print]

Corpora of sentences with tokens have no text. It is rebuilt from the tokens of each document: with a blank between two tokens, without one
in Chinese; `--join print` sets commas and brackets as in print. `␣`, as SciCN writes a blank, becomes one. The model then reads the
document four times, each time with less that is given:

    relations    the annotated sentences, tokens and entities
    entities     the annotated sentences and tokens; entities are found
    tokens       the annotated sentences, cut into tokens by the splitter; entities are found
    sentences    the text alone, as `relsift predict` reads a text file

What is found is compared with the annotation by characters, by `relsift.evaluation` (strict: span and type of both entities, type of the
relation). For that, both become one sentence a document, whose tokens are the characters of the text. The loss of a step is the difference
of its F1 to the step before.

benchmarks/results/raw_text/NAME.json: "figures" has a record a step with "relations" and "entities" (precision, recall, F1 in percent),
and "setting".
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from measure import machine, print_table

from relsift.annotators.splitters import DEFAULT, find_splitter
from relsift.annotators.type_table import read_types
from relsift.corpora.data import resolve
from relsift.evaluation.entities import evaluate_entities
from relsift.evaluation.scores import PRF, evaluate
from relsift.extractor import RelationExtractor
from relsift.files import write_json
from relsift.found_entities import without_entities
from relsift.readers.raw import Split, sentence_of
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.text import is_mostly_cjk
from relsift.token_text import join_tokens

RESULTS = Path(__file__).parent / "results" / "raw_text"
BLANK_TOKEN = "␣"  # a blank as a token of its own, in SciCN
STEPS = ("relations", "entities", "tokens", "sentences")  # each has less given than the one before
JOINS = ("blanks", "print")

Spans = list[list[tuple[int, int]]]  # of the tokens of each sentence, in the text


@dataclass(frozen=True)
class Rebuilt:
    """A document of the corpus with a text."""

    document: Document  # as annotated: without offsets
    text: str
    spans: Spans  # of the annotated tokens

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The characters of each annotated sentence."""
        return [(spans[0][0], spans[-1][1]) for spans in self.spans]


def rebuilt(document: Document, join: str) -> Rebuilt:
    """A text in which the annotated tokens stand in order."""
    is_chinese = is_mostly_cjk([token for sentence in document.sentences for token in sentence.tokens])
    text, spans = "", Spans()
    for sentence in document.sentences:
        text += " " if text and not is_chinese else ""
        spans.append([])
        for number, token in enumerate(sentence.tokens):
            if number and not is_chinese:
                before = sentence.tokens[number - 1]
                text += " " if join == "blanks" or len(join_tokens((before, token))) > len(before) + len(token) else ""
            spans[-1].append((len(text), len(text) + len(token)))
            text += " " if token == BLANK_TOKEN else token
    return Rebuilt(document, text, spans)


def by_characters(document: Rebuilt, sentences: Sequence[Sentence], spans: Spans) -> Sentence:
    """What sentences say, as one sentence whose tokens are the characters of the text. Args: spans: of the tokens of each sentence."""
    entities: list[Entity] = []
    relations: list[Relation] = []
    for sentence, tokens in zip(sentences, spans, strict=True):
        first = len(entities)
        entities += [Entity(tokens[e.start][0], tokens[e.end - 1][1], e.type) for e in sentence.entities]
        relations += [Relation(first + r.head, first + r.tail, r.type) for r in sentence.relations or ()]
    return Sentence(document.document.id, tuple(document.text), tuple(entities), tuple(relations))


def predicted(extractor: RelationExtractor, documents: Sequence[Rebuilt], step: str, split: Split) -> Iterator[Sentence]:
    """Of each document, what is found in a step (see the top), by characters."""
    if step in ("relations", "entities"):
        whose = "gold" if step == "relations" else None
        given = [_stripped(document.document, keeps_entities=step == "relations") for document in documents]
        for document, found in zip(documents, extractor.documents(given, entities=whose), strict=True):
            yield by_characters(document, found.sentences, document.spans)
        return
    cut = partial(annotated_sentences, split) if step == "tokens" else partial(whole_text, split)
    texts = [Document(document.document.id, tuple(cut(document)), document.text) for document in documents]
    for document, found in zip(documents, extractor.documents(texts), strict=True):
        yield by_characters(document, found.sentences, [list(sentence.offsets or ()) for sentence in found.sentences])


def annotated_sentences(split: Split, document: Rebuilt) -> Iterator[Sentence]:
    """The annotated sentences with the splitter's tokens."""
    for number, (start, end) in enumerate(document.edges):
        tokens = [(start + a, start + b) for sentence in split(document.text[start:end]) for a, b in sentence.offsets or ()]
        yield sentence_of(document.text, number, tokens)


def whole_text(split: Split, document: Rebuilt) -> list[Sentence]:
    return split(document.text)


def _stripped(document: Document, *, keeps_entities: bool) -> Document:
    sentences = (s.with_relations(None) if keeps_entities else without_entities(s) for s in document.sentences)
    return replace(document, sentences=tuple(sentences))


def boundaries_inside(documents: Sequence[Rebuilt], split: Split) -> tuple[int, int, int, int]:
    """Edges of annotated entities inside one of our tokens, and all; annotated relations over an end of our sentences, and all."""
    inside = edges = apart = relations = 0
    for document in documents:
        sentences = split(document.text)
        tokens = {place for s in sentences for start, end in s.offsets or () for place in range(start + 1, end)}
        sentence_of = {place: n for n, s in enumerate(sentences) for start, end in s.offsets or () for place in range(start, end)}
        for sentence, spans in zip(document.document.sentences, document.spans):
            ends = [(spans[e.start][0], spans[e.end - 1][1]) for e in sentence.entities]
            edges += 2 * len(ends)
            inside += sum((start in tokens) + (end in tokens) for start, end in ends)
            relations += len(sentence.relations or ())
            for relation in sentence.relations or ():
                places = [place for position in (relation.head, relation.tail) for place in (ends[position][0], ends[position][1] - 1)]
                apart += len({sentence_of.get(place) for place in places}) > 1
    return inside, edges, apart, relations


def percent(scores: PRF) -> dict[str, float]:
    return {name: round(100 * getattr(scores, name), 2) for name in ("precision", "recall", "f1")}


def figures(extractor: RelationExtractor, documents: Sequence[Rebuilt], splitter: str) -> dict[str, Any]:
    """Scores of each step, and how many edges and relations the splitter makes impossible."""
    split = find_splitter(splitter).split
    gold = [by_characters(document, document.document.sentences, document.spans) for document in documents]
    steps: dict[str, Any] = {}
    setting = ""
    for step in STEPS:
        found = list(predicted(extractor, documents, step, split))
        scores = evaluate(gold, found, direction=extractor.candidates.direction, entities="predicted", match="strict")
        setting = " · ".join(part for part in scores.setting_line().split(" · ") if not part.startswith("candidates"))
        steps[step] = {"relations": percent(scores.micro), "entities": percent(evaluate_entities(gold, found).micro)}
    inside, edges, apart, relations = boundaries_inside(documents, split)
    return {
        "setting": setting.replace("entities=predicted", "entities by characters"), "steps": steps, "documents": len(documents),
        "sentences": {"annotated": sum(len(d.spans) for d in documents), "found": sum(len(split(d.text)) for d in documents)},
        "entity_edges_inside_a_token": [inside, edges], "relations_over_a_sentence_end": [apart, relations],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="run or model folder")
    parser.add_argument("data", help="corpus and part, such as conll04/test")
    parser.add_argument("name", help="of the file of results")
    parser.add_argument("--entities-from", action="append", default=[], metavar="SPEC")
    parser.add_argument("--types", type=Path)
    parser.add_argument("--splitter", default=DEFAULT)
    parser.add_argument("--join", choices=JOINS, default=JOINS[0])
    parser.add_argument("--about", default="", help="of the model, for the table: its architecture, epochs and seed")
    parser.add_argument("--documents", type=int, help="the first so many alone, to try it out; nothing is written")
    options = parser.parse_args()
    types = None if options.types is None else read_types(options.types)
    extractor = RelationExtractor.from_pretrained(options.run, entities_from=options.entities_from, types=types)
    documents = [rebuilt(document, options.join) for document in resolve(options.data).documents()][: options.documents]
    result = figures(extractor, documents, options.splitter)
    print_table(
        ["given", "relation F1", "entity F1"],
        [[step, *(f"{scores[kind]['f1']:.1f}" for kind in ("relations", "entities"))] for step, scores in result["steps"].items()],
    )
    print(result["setting"], result["entity_edges_inside_a_token"], result["relations_over_a_sentence_end"])
    if options.documents is None:
        source = extractor.bundle.entity_source
        entities = f"its own ({extractor.bundle.name})" if source is None else " + ".join(source.pinned().specs)
        setting = {
            "data": options.data, "model": options.about or extractor.bundle.name, "entities_from": entities,
            "types": None if source is None else dict(source.types), "splitter": find_splitter(options.splitter).spec, "join": options.join,
        }  # fmt: skip
        RESULTS.mkdir(parents=True, exist_ok=True)
        command = f"python benchmarks/raw_text.py RUN {options.data} {options.name}"
        command += "".join(f" --entities-from {spec}" for spec in options.entities_from)
        command += " --types types.json" * (types is not None) + f" --join {options.join}" * (options.join != JOINS[0])
        command += f" --splitter {options.splitter}" * (options.splitter != DEFAULT)
        write_json(RESULTS / f"{options.name}.json", {"command": command, "machine": machine(), **setting, "figures": result})


if __name__ == "__main__":
    main()
