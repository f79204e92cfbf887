"""What the core model tells of its training data; its numbers are in `tests/golden/test_pair_convolution.py`."""

from __future__ import annotations

from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.encoding.tags import TagInput
from relsift.encoding.types import EntityTypes
from relsift.encoding.words import WordVocabulary
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig

TYPES = EntityTypes(("X",))
ENCODING = Encoding(("r",), TYPES, WordVocabulary(("a",)), TagInput(TYPES), None)
# entities at tokens 0-1, 3-5 and 9-10; pairs reach over 5, 10 and 7 tokens
EXAMPLE = Example(
    10, [1] * 10, [0] * 10, None, [(0, 1), (3, 5), (9, 10)], [0, 0, 0], heads=[0, 2, 1], tails=[1, 0, 2], labels=[], places=[0, 1, 2]
)


def test_pairs_longer_than_a_cropped_context_are_counted():
    model = MultiTaskCNN(MultiTaskCNNConfig(context="between", context_size=6), ENCODING)
    assert model.notes([EXAMPLE]) == ["2 of 3 training pairs are more than 6 tokens long: the model sees the last 6"]
    assert MultiTaskCNN(MultiTaskCNNConfig(context="between", context_size=10), ENCODING).notes([EXAMPLE]) == []


def test_a_model_that_sees_the_whole_sentence_has_nothing_to_note():
    assert MultiTaskCNN(MultiTaskCNNConfig(context_size=1), ENCODING).notes([EXAMPLE]) == []
