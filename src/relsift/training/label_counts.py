"""How often each class occurs in the training data, for losses that depend on it; they are told once, before the first epoch.

The counts are no part of a model folder: scores do not depend on them. A resumed run counts again, with the same result.
Letters: P pairs, C columns with a score each.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from relsift.candidates import NO_RELATION
from relsift.config import TrainingConfig
from relsift.encoding.batch import collate, cut
from relsift.layers.relation_classifier import RelationClassifier
from relsift.losses.base import LabelCounts
from relsift.losses.labels import first_label
from relsift.models.base.model import RelationModel
from relsift.training.negatives import seed_of, with_drawn_negatives
from relsift.training.training_set import TrainingSet


def tell_counts(model: RelationModel[Any], training_set: TrainingSet, c: TrainingConfig) -> None:
    """Tell the losses of a model the counts that they need, as an epoch sees the training data."""
    classifiers = [part for part in model.modules() if isinstance(part, RelationClassifier) and part.needs_counts]
    if not classifiers:
        return
    if c.negatives is not None:  # every epoch has as many
        training_set, _ = with_drawn_negatives(training_set, c.negatives, seed_of(c, 1))
    every, first, pairs = torch.zeros(()), torch.zeros(()), 0
    for numbers in cut(training_set.works(), max_pairs=c.batch_pairs, max_tokens=c.batch_tokens):
        batch = collate([example for number in numbers for example in training_set.groups[number]], training_set.encoding)
        labels = model.classified_labels(batch)                                         # (P, C)
        firsts = first_label(labels)
        every, pairs = every + labels.sum(dim=0), pairs + len(labels)
        first = first + F.one_hot(firsts[firsts != NO_RELATION], labels.shape[1]).sum(dim=0)
    for part in classifiers:
        part.tell_counts(*(LabelCounts(pairs, tuple(int(number) for number in counts.tolist())) for counts in (every, first)))
