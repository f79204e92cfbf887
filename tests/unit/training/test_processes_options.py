"""Which options several processes can train with, and how a process knows its place."""

from __future__ import annotations

import pytest

from relsift.config import TrainingConfig
from relsift.errors import ConfigError
from relsift.training.launched import VARIABLES, place
from relsift.training.processes import ALONE, check_processes, joined, seed_of_batch


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accumulate": 2, "batch_pairs": 100, "batch_tokens": 9}, r"accumulate: expected at least 3.*got 2.*=3 .*pairs=34 .*tokens=3$"),
        ({"accumulate": 3, "pair_entities": "both"}, r"training\.pair_entities: expected gold beside --processes, got 'both'"),
        ({"accumulate": 3, "device": "cuda:1"}, r"training\.device: expected cuda, for one GPU a process, got 'cuda:1'"),
        ({"accumulate": 3, "device": "mps"}, r"training\.device: expected cpu or cuda for 3 processes, got 'mps'"),
    ],
)
def test_options_that_several_processes_cannot_train_with_are_refused(options, message):
    c = TrainingConfig.model_validate(options)
    with pytest.raises(ConfigError, match=message):
        check_processes(c, 3)
    check_processes(c, 1)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [(("1", "2", "0", "host", "1"), (1, 2, 0)), (("1", "2", "0", "host", ""), (0, 1, 0)), (("2", "2", "0", "host", "1"), (0, 1, 0)),
     (("a", "2", "0", "host", "1"), (0, 1, 0)), (("0", "1", "0", "host", "1"), (0, 1, 0))],
)  # fmt: skip
def test_a_process_is_one_of_several_only_if_all_variables_say_so(values, wanted, monkeypatch):
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    assert place() == wanted
    if wanted[1] == 1:
        with joined(TrainingConfig()) as processes:
            assert processes is ALONE


def test_a_process_of_its_own_exchanges_nothing():
    assert ALONE.computes(0)
    assert ALONE.computes(5)
    assert ALONE.add_gradients([], (True, False)) == [True, False]
    assert ALONE.gather({"a": 0.1}) == [{"a": 0.1}]
    assert ALONE.added({"a": 0.1}) == {"a": 0.1}


def test_every_batch_has_random_numbers_of_its_own_that_never_change():
    seeds = [seed_of_batch(seed, number) for seed in (1, 2) for number in range(100)]
    assert len(set(seeds)) == 200
    assert seed_of_batch(1, 0) == seeds[0] < 2**60
