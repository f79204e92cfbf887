"""A fold whose sentences show a tagger's entities as tags. Tagging takes minutes and is the same for all seeds: it is kept in the folder.

OUT/tagged/fold<k>.json     entities found in every sentence of the fold, and how right they are
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from relsift.annotators.tagger import VERSION, predicted_tags
from relsift.errors import DataError
from relsift.experiments.folds import Fold
from relsift.experiments.result import Plan
from relsift.files import make_folder, write_json
from relsift.json_schema import conform
from relsift.json_text import read_json, sealed
from relsift.schema import Entity, Sentence
from relsift.stable_random import stable_integer


@dataclass(frozen=True)
class TaggedFold:
    """The sentences of `Fold.sentences()` with `tagged` set. facts: the tagger's precision, recall and F1 in training and elsewhere."""

    training: list[Sentence]
    development: list[Sentence]
    test: list[Sentence]
    facts: dict[str, Any]


class _Tags(BaseModel):
    """What is read of a file of tags; older ones lack the digest, and are refused for it."""

    model_config = ConfigDict(strict=True)
    checksum: str
    facts: dict[str, Any]
    tags: list[list[list[int | str]]]


def tagged_fold(fold: Fold, plan: Plan, folder: Path) -> TaggedFold:
    """Raises ConfigError if spaCy is not installed; DataError if the folder's tags are of other sentences."""
    training, development, test = fold.sentences()
    file = folder / "tagged" / f"fold{fold.number}.json"
    # The plan's checksum is the same for another cut of the same data: these are the sentences themselves, in their order.
    digest = stable_integer(VERSION, *([s.id, s.tokens] for s in (*training, *development, *test)), len(training), len(development))
    if not file.exists():
        tagged = predicted_tags(training, [*development, *test], seed=plan.fold_seed + 1, language=plan.language)
        tags = [[[e.start, e.end, e.type] for e in sentence.tagged or ()] for sentence in [*tagged.training, *tagged.others]]
        facts = {"training": asdict(tagged.training_score), "elsewhere": asdict(tagged.others_score), "overlapping": tagged.overlapping}
        make_folder(file.parent)
        write_json(file, sealed({"checksum": plan.checksum, "sentences": digest, "facts": facts, "tags": tags}))
    advice = "delete the file"
    kept: dict[str, Any] = read_json(file, error=DataError, advice=advice)
    conform(_Tags, kept, file, error=DataError, advice=advice)
    whose = kept["checksum"], kept.get("sentences"), len(kept["tags"])
    if whose != (plan.checksum, digest, len(training) + len(development) + len(test)):
        raise DataError(f"{file}: expected the tags of this fold, got those of other sentences or of an older tagger; delete the file")
    rest = iter(kept["tags"])
    training, development, test = (_with_tags(part, list(islice(rest, len(part)))) for part in (training, development, test))
    return TaggedFold(training, development, test, kept["facts"])


def _with_tags(sentences: Sequence[Sentence], tags: Sequence[Sequence[tuple[int, int, str]]]) -> list[Sentence]:
    return [
        replace(sentence, tagged=tuple(Entity(start, end, kind) for start, end, kind in entities))
        for sentence, entities in zip(sentences, tags, strict=True)
    ]
