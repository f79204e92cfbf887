"""Read everything once and say what is worth knowing before a model is trained on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relsift.corpora.corpus import TRAIN
from relsift.corpora.data import Data
from relsift.readers.base import ReadReport
from relsift.schema import Sentence, join_tokens

_SHOWN = 80  # characters of a sentence in a message


@dataclass
class Findings:
    """sentences: by part. dropped: what the reader left out, and what preparing had left out before. warnings: one line each."""

    sentences: dict[str, int] = field(default_factory=dict)
    report: ReadReport = field(default_factory=ReadReport)
    dropped_before: Mapping[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def dropped_lines(self) -> list[str]:
        before = sorted(self.dropped_before.items(), key=lambda item: -item[1])
        return self.report.lines() + [f"{count} {reason} (when the corpus was prepared)" for reason, count in before]


def validate(data: Data) -> Findings:
    """Raises DataError at the first thing that is broken."""
    findings = Findings(dropped_before=data.dropped)
    seen: dict[str, str] = {}  # what a sentence says -> the first part that has it
    types: dict[str, dict[str, set[str]]] = {}
    for split in data.splits or (None,):
        name = split or "all"
        known = types.setdefault(name, {"entity": set(), "relation": set()})
        shared: dict[str, list[Sentence]] = {}
        findings.sentences[name] = 0
        without_entities = not_annotated = 0
        for document in data.documents(split, findings.report):
            for sentence in document.sentences:
                findings.sentences[name] += 1
                first = seen.setdefault(_gist(sentence), name)
                if first != name:
                    shared.setdefault(first, []).append(sentence)
                without_entities += not sentence.entities
                not_annotated += sentence.relations is None
                known["entity"].update(entity.type for entity in sentence.entities)
                known["relation"].update(relation.type for relation in sentence.relations or ())
        findings.warnings += [_duplicates(name, first, sentences) for first, sentences in shared.items()]
        if not_annotated:
            findings.warnings.append(
                f"{name}: {not_annotated} of {findings.sentences[name]} sentences carry no relation annotation"
            )
        if findings.sentences[name] and without_entities == findings.sentences[name]:
            findings.warnings.append(f"{name}: no sentence has an entity, so there is nothing to relate")
    findings.warnings += _unseen(types)
    return findings


def _gist(sentence: Sentence) -> str:
    """Letters and digits in lower case: one sentence tokenised or punctuated twice is still one sentence."""
    text = "".join(sentence.tokens)
    return "".join(filter(str.isalnum, text.lower())) or text


def _duplicates(split: str, first: str, sentences: list[Sentence]) -> str:
    example = sentences[0]
    text = join_tokens(example.tokens)
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    noun = "sentence stands" if len(sentences) == 1 else "sentences stand"
    return f"{split}: {len(sentences)} {noun} in {first} too, so scores may be too good (first: {example.id} {shown!r})"


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
