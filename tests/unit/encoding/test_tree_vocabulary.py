"""Dependency labels and parts of speech as rows of tables, redone by hand."""

from __future__ import annotations

from relsift.encoding.trees import UNKNOWN_LABEL, TreeVocabulary
from relsift.schema import Sentence, Syntax

TREE = Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "N"))
PARSED = Sentence("p", ("Ada", "runs", "Acme"), syntax=TREE)


def test_labels_of_trees_are_numbered_from_one_and_unknown_ones_are_zero():
    trees = TreeVocabulary.fit([PARSED, Sentence("not parsed", ("Bo", "left"))])
    assert (trees.dependencies, trees.pos) == (("object", "root", "subject"), ("N", "V"))
    assert (trees.num_dependencies, trees.num_pos) == (4, 3)
    assert trees.ids(TREE) == ([3, 2, 1], [1, 2, 1])
    assert trees.ids(Syntax((-1,), ("never",), ("seen",))) == ([UNKNOWN_LABEL], [UNKNOWN_LABEL]) == ([0], [0])


def test_without_trees_in_the_training_data_every_label_is_unknown():
    trees = TreeVocabulary.fit([Sentence("not parsed", ("Bo", "left"))])
    assert (trees, trees.num_dependencies, trees.num_pos) == (TreeVocabulary(), 1, 1)
    assert trees.ids(TREE) == ([UNKNOWN_LABEL] * 3, [UNKNOWN_LABEL] * 3)
