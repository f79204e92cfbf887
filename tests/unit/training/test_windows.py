"""Data in passages before training: which options it refuses, and what becomes of the sentences."""

from __future__ import annotations

import pytest

from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.schema import sentences_of
from relsift.training.run_folder import RunData
from relsift.training.search_space import Choice
from relsift.training.tuning import check_space
from relsift.training.windows import check_window, in_passages
from toy_across import documents

PARTS = documents(4), documents(2, seed=1)
DATA = RunData("toy", *(list(sentences_of(part)) for part in PARTS), {"toy": "0"}, documents=PARTS)


def test_each_sentence_becomes_the_passage_that_begins_with_it():
    data = in_passages(load_config(overrides=["candidates.window=2"]), DATA)
    assert [s.id for s in data.training] == [s.id for s in DATA.training] and data.documents is DATA.documents
    assert [len(s.parts) for s in data.development] == [2, 2, 0] * 2
    # Of each two documents, the first has two relations one sentence apart, the second one that is two sentences apart.
    assert [len(s.relations or ()) for s in data.development] == [1, 1, 0, 0, 0, 0]
    assert in_passages(load_config(), DATA) is DATA


def test_options_that_do_without_documents_are_refused():
    window = "candidates.window=2"
    with pytest.raises(ConfigError, match="expected 1 for pipeline, which finds entities sentence by sentence, got 2"):
        check_window(load_config(model="pipeline", overrides=[window]))
    with pytest.raises(ConfigError, match=r"text\.tokens: expected corpus beside candidates\.window=2, got 'text'"):
        check_window(load_config(overrides=[window, "text.tokens=text"]))
    with pytest.raises(ConfigError, match=r"candidates\.window: expected data with documents, or 1, got 2"):
        in_passages(load_config(overrides=[window]), RunData("toy", DATA.training, DATA.development, {}))
    with pytest.raises(ConfigError, match=r"space of candidates\.window: expected one value for all trials"):
        check_space(lambda further: load_config(overrides=list(further)), {"candidates.window": Choice((1, 2))})
