"""What a model in torch computes in inference: the scores of a batch, and the entities that a joint model finds.

`relsift.inference` imports this when a model needs it, so that exported models are used without torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from relsift.decisions.scored import Scores
from relsift.encoding.batch import Batch, collate, with_entities_of
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.errors import ShapeError
from relsift.found_entities import entities_by_sentence, with_found_entities
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import RelationModel
from relsift.precision import Precision, check_precision, computed
from relsift.schema import Sentence

if TYPE_CHECKING:
    from relsift.inference import InferenceReport


def finds_entities(model: Any) -> bool:
    """Whether the model finds entities itself."""
    return isinstance(model, JointModel)


def check_precision_of(model: RelationModel[Any], precision: Precision) -> None:
    """Raises ConfigError for bfloat16 on a device that cannot compute in it."""
    check_precision(precision, next(model.parameters()).device, "precision")


def batch_scores(
    model: RelationModel[Any], encoding: Encoding, precision: Precision, examples: Sequence[Example], report: InferenceReport
) -> Scores:
    """(P, K) scores of every pair, in the order of the examples. Raises ShapeError if the model returns anything else."""
    with report.busy("encoding"):
        batch = collate(examples, encoding)
    with report.busy("model"), torch.inference_mode():
        model.eval()
        batch = batch.to(device := next(model.parameters()).device)
        scores = model.scores(computed(precision, device, partial(model, batch)))
    return _checked(model, scores, batch, encoding)


class FoundBatch(NamedTuple):
    """A batch whose text was read and whose entities were found."""

    numbers: list[int]  # positions of its sentences
    sentences: list[Sentence]  # with the entities found
    examples: list[Example]  # of the text alone
    batch: Batch
    states: Any


def found_in(
    model: Any, encoding: Encoding, precision: Precision, sentences: Sequence[Sentence], examples: Sequence[Example],
    batches: Sequence[list[int]], report: InferenceReport,
) -> Iterator[FoundBatch]:  # fmt: skip
    """Args: examples: of the text of the sentences. batches: positions of the examples of each batch."""
    assert isinstance(model, JointModel)
    for numbers in batches:
        chosen = [examples[number] for number in numbers]
        with report.busy("encoding"):
            batch = collate(chosen, encoding)
        with report.busy("model"), torch.inference_mode():
            model.eval()
            batch = batch.to(device := next(model.parameters()).device)
            states = computed(precision, device, partial(model.read, batch))
            found = model.find(states, batch)
        with report.busy("encoding"):
            by_sentence = entities_by_sentence(found, encoding, len(numbers))
            complete = [with_found_entities(sentences[number], entities) for number, entities in zip(numbers, by_sentence)]
        yield FoundBatch(numbers, complete, chosen, batch, states)


def related(model: Any, encoding: Encoding, precision: Precision, part: FoundBatch, examples: Sequence[Example],
            report: InferenceReport) -> Scores | None:  # fmt: skip
    """(P, K) scores of the pairs of the entities that were found; None for no pair. Args: examples: with these entities and pairs."""
    with report.busy("encoding"):
        batch = with_entities_of(part.batch, examples, encoding)
    if not len(batch.pairs):
        return None
    with report.busy("model"), torch.inference_mode():
        output = computed(precision, batch.lengths.device, partial(model.relate, part.states, batch))
        return _checked(model, model.scores(output), batch, encoding)


def _checked(model: RelationModel[Any], scores: Tensor, batch: Batch, encoding: Encoding) -> Scores:
    """(P, K) as an array. Raises ShapeError for any other shape."""
    if scores.shape != (expected := (len(batch.pairs), len(encoding.labels))):
        raise ShapeError(f"{type(model).__name__}.scores", expected=f"(pairs, relation types) = {expected}", got=tuple(scores.shape))
    return scores.float().cpu().numpy()
