"""Check data before training: every fault of its files, what readers leave out, leaks between parts, labels that mislead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from relsift.corpora.corpus import TRAIN
from relsift.corpora.data import OTHERS_AMONG, OTHERS_BESIDE, Data
from relsift.corpora.leaks import duplicates_line, fingerprint, repeated_ids_line
from relsift.corpora.no_relation import no_relation_warnings
from relsift.errors import DataError, shortened
from relsift.omissions import counted
from relsift.readers.base import ACROSS, OF_CONCEPTS, ReadReport
from relsift.schema import Document, Sentence


@dataclass
class Findings:
    """The result of `validate`."""

    sentences: dict[str, int] = field(default_factory=dict)  # part -> number of sentences
    entities: int = 0  # that were kept
    relations: int = 0  # that were kept
    report: ReadReport = field(default_factory=lambda: ReadReport(on_error="skip"))  # what the readers left out now
    stopped: list[str] = field(default_factory=list)  # errors after which a part could not be read on
    dropped_before: Mapping[str, int] = field(default_factory=dict)  # what was left out when the corpus was prepared
    warnings: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Messages of the errors, those after which nothing could be read first: the data is broken if there are any."""
        return [*self.stopped, *self.report.faults]

    @property
    def num_faults(self) -> int:
        """Of all errors; of more than `FAULTS_KEPT` in the files not all have a message in `faults`."""
        return self.report.num_faults + len(self.stopped)

    @property
    def is_clean(self) -> bool:
        """No fault, no warning, and nothing left out or changed in reading; files that are no data may lie beside the others."""
        return not (self.faults or self.warnings or self.report.dropped.keys() - {OTHERS_AMONG, OTHERS_BESIDE})

    def dropped_lines(self) -> list[str]:
        """One line a reason."""
        before = sorted(self.dropped_before.items(), key=lambda item: -item[1])
        return self.report.lines() + [f"{counted(count, reason)} (when the corpus was prepared)" for reason, count in before]

    def to_json(self, max_errors: int | None = None) -> dict[str, Any]:
        """Args: max_errors: list at most so many; None: all. `num_errors` counts all of them."""
        return {
            "valid": not self.faults,
            "sentences": self.sentences,
            "entities": self.entities,
            "relations": self.relations,
            "num_errors": self.num_faults,
            "errors": self.faults[:max_errors],
            "warnings": self.warnings,
            "dropped": [
                {"reason": reason, "count": count, "first": self.report.examples[reason]}
                for reason, count in self.report.dropped.most_common()
            ],
            "dropped_when_prepared": dict(self.dropped_before),
            "lost_relations": dict(self.report.lost_relations),
        }


@dataclass
class _Part:
    """What one part holds, to be compared with the others."""

    sentences: int = 0
    without_entities: int = 0
    not_annotated: int = 0
    types: dict[str, set[str]] = field(default_factory=lambda: {"entity": set(), "relation": set()})
    ids: set[str] = field(default_factory=set)
    repeated_ids: list[str] = field(default_factory=list)
    duplicates: dict[str, list[Sentence]] = field(default_factory=dict)  # earlier part -> sentences that stand there too

    def add(self, sentence: Sentence, first_part: dict[str, str], name: str) -> None:
        """Args: first_part: fingerprint -> the first part that has it. name: of this part."""
        self.sentences += 1
        earlier = first_part.setdefault(fingerprint(sentence), name)
        if earlier != name:
            self.duplicates.setdefault(earlier, []).append(sentence)
        if sentence.id in self.ids:
            self.repeated_ids.append(sentence.id)
        self.ids.add(sentence.id)
        self.without_entities += not sentence.entities
        self.not_annotated += sentence.relations is None
        self.types["entity"].update(entity.type for entity in sentence.entities)
        self.types["relation"].update(relation.type for relation in sentence.relations or ())

    def warnings(self, name: str) -> list[str]:
        lines = [duplicates_line(name, earlier, sentences) for earlier, sentences in self.duplicates.items()]
        if not self.sentences:
            lines.append(f"{name}: no sentence, so there is nothing to read")
        if self.repeated_ids:
            lines.append(repeated_ids_line(name, self.repeated_ids))
        if self.not_annotated:
            lines.append(f"{name}: {self.not_annotated} of {self.sentences} sentences carry no relation annotation")
        if self.sentences and self.without_entities == self.sentences:
            lines.append(f"{name}: no sentence has an entity, so there is nothing to relate")
        elif self.sentences > self.not_annotated and not self.types["relation"]:
            lines.append(f"{name}: no sentence has a relation, so there is nothing to learn or to find")
        return lines


def validate(data: Data) -> Findings:
    """Read all of the data once. Broken input is no exception here: every fault is in `Findings.faults`, and reading goes on after it."""
    findings = Findings(dropped_before=data.dropped)
    first_part: dict[str, str] = {}
    parts: dict[str, _Part] = {}
    for split in data.splits or (None,):
        name = split or "all"
        part = parts[name] = _Part()
        try:
            for document in data.documents(split, findings.report):
                _count(document, findings)
                for sentence in document.sentences:
                    part.add(sentence, first_part, name)
        except DataError as error:  # of a kind that nothing after it can be read
            findings.stopped.append(shortened(str(error)))
        findings.sentences[name] = part.sentences
        findings.warnings += part.warnings(name)
    if not findings.stopped:
        findings.warnings += _unseen({name: part.types for name, part in parts.items()})
    findings.warnings += no_relation_warnings(kind for part in parts.values() for kind in part.types["relation"])
    findings.warnings += loss_warnings(findings.report, entities=findings.entities, relations=findings.relations)
    return findings


def loss_warnings(report: ReadReport, *, entities: int, relations: int) -> list[str]:
    """One line each if annotated entities or relations were lost in reading, with their share.

    Args: entities, relations: numbers of those that were kept.
    """
    in_passages = ACROSS in report.dropped or OF_CONCEPTS in report.dropped
    hint = "; candidates.window=2 or more reads sentences together, and keeps relations between them"
    hints = {"relations": hint} if in_passages else {}
    lost = {"entities": report.lost_entities, "relations": report.lost_relations.total()}
    kept = {"entities": entities, "relations": relations}
    return [
        f"{count} of {count + kept[kind]} annotated {kind} ({100 * count / (count + kept[kind]):.1f} %) are lost in reading, for the "
        f"reasons above; if that is too much, another option of the reader or a corrected file may keep them{hints.get(kind, '')}"
        for kind, count in lost.items()
        if count
    ]


def _count(document: Document, findings: Findings) -> None:
    findings.entities += sum(len(sentence.entities) for sentence in document.sentences)
    findings.relations += sum(len(sentence.relations or ()) for sentence in document.sentences)


def _unseen(types: Mapping[str, Mapping[str, Iterable[str]]]) -> list[str]:
    """Types that training cannot learn, since only other parts have them."""
    if TRAIN not in types:
        return []
    return [
        f"{split}: {kind} type{'s' if len(unseen) > 1 else ''} that the training part does not have: {', '.join(sorted(unseen))}"
        for split, kinds in types.items()
        for kind, names in kinds.items()
        if (unseen := set(names) - set(types[TRAIN][kind]))
    ]
