"""Check data before training: what readers leave out, sentences in two parts, types that training cannot learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relsift.corpora.corpus import TRAIN
from relsift.corpora.data import Data
from relsift.readers.base import ReadReport
from relsift.schema import Sentence

_LONGEST_QUOTE = 80  # characters of a sentence in a message


@dataclass
class Findings:
    """The result of `validate`."""

    sentences: dict[str, int] = field(default_factory=dict)  # part -> number of sentences
    report: ReadReport = field(default_factory=ReadReport)  # what the readers left out now
    dropped_before: Mapping[str, int] = field(default_factory=dict)  # what was left out when the corpus was prepared
    warnings: list[str] = field(default_factory=list)

    def dropped_lines(self) -> list[str]:
        """One line a reason."""
        before = sorted(self.dropped_before.items(), key=lambda item: -item[1])
        return self.report.lines() + [f"{count} {reason} (when the corpus was prepared)" for reason, count in before]


def validate(data: Data) -> Findings:
    """Read all of the data once. Raises DataError at the first fault of a file."""
    findings = Findings(dropped_before=data.dropped)
    first_split: dict[str, str] = {}  # normalised text of a sentence -> the first part that has it
    types: dict[str, dict[str, set[str]]] = {}
    for split in data.splits or (None,):
        name = split or "all"
        types_of_split = types.setdefault(name, {"entity": set(), "relation": set()})
        duplicates: dict[str, list[Sentence]] = {}
        findings.sentences[name] = 0
        without_entities = not_annotated = 0
        for document in data.documents(split, findings.report):
            for sentence in document.sentences:
                findings.sentences[name] += 1
                earlier_split = first_split.setdefault(_normalised_text(sentence), name)
                if earlier_split != name:
                    duplicates.setdefault(earlier_split, []).append(sentence)
                without_entities += not sentence.entities
                not_annotated += sentence.relations is None
                types_of_split["entity"].update(entity.type for entity in sentence.entities)
                types_of_split["relation"].update(relation.type for relation in sentence.relations or ())
        findings.warnings += [_duplicates(name, earlier_split, sentences) for earlier_split, sentences in duplicates.items()]
        if not_annotated:
            findings.warnings.append(
                f"{name}: {not_annotated} of {findings.sentences[name]} sentences carry no relation annotation"
            )
        if findings.sentences[name] and without_entities == findings.sentences[name]:
            findings.warnings.append(f"{name}: no sentence has an entity, so there is nothing to relate")
    findings.warnings += _unseen(types)
    return findings


def _normalised_text(sentence: Sentence) -> str:
    """Letters and digits in lower case: equal for a sentence that was tokenised or punctuated in two ways."""
    text = "".join(sentence.tokens)
    return "".join(filter(str.isalnum, text.lower())) or text


def _duplicates(split: str, first: str, sentences: list[Sentence]) -> str:
    example = sentences[0]
    text = example.text
    quote = text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
    noun = "sentence stands" if len(sentences) == 1 else "sentences stand"
    return f"{split}: {len(sentences)} {noun} in {first} too, so scores may be too good (first: {example.id} {quote!r})"


def _unseen(types: Mapping[str, Mapping[str, set[str]]]) -> list[str]:
    """Types that training cannot learn, since only other parts have them."""
    if TRAIN not in types:
        return []
    return [
        f"{split}: {kind} type{'s' if len(unseen) > 1 else ''} that the training part does not have: {', '.join(sorted(unseen))}"
        for split, kinds in types.items()
        for kind, names in kinds.items()
        if (unseen := names - types[TRAIN][kind])
    ]
