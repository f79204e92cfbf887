"""From what a user asks of a grid to its plan, its systems and its cells. Option names in messages are those of the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import yaml

from relsift.bundle import inputs_of
from relsift.candidates import DIRECTIONS
from relsift.config import load_config
from relsift.corpora.data import resolve
from relsift.device import checked_device
from relsift.encoding.encoding import Input
from relsift.errors import ConfigError, require
from relsift.evaluation.scores import Entities, Match
from relsift.experiments.cell import Cell
from relsift.experiments.grid import cells_of
from relsift.experiments.result import QUICK_OVERRIDE, Plan
from relsift.experiments.system import System
from relsift.readers.base import OnError

SHARED = {
    "candidates.direction": "--direction", "candidates.type_filter": "--type-filter", "training.seed": "--seeds",
    "training.threads": "--jobs", "training.device": "--device",
}  # fmt: skip
GIVES: dict[str, Input] = {"encoding.parser": "trees", "encoding.encoder": "subwords"}  # option -> the input that it serves
FOLDS, SEEDS = 5, 3  # unless the user says otherwise
MOST_FOLDS, MOST_SEEDS, MOST_SENTENCES = 1000, 1000, 10**9  # more is a slip of the finger, and would fill memory before any work
SEEDS_END = 2**63
QUICK_FOLDS, QUICK_SEEDS, QUICK_SENTENCES = 2, 1, 300
_MOST_ON_CLUSTER = 10_000  # jobs


def make_plan(
    *, data: str | None, split: str, folds: int | None, direction: str | None, language: str | None, type_filter: bool,
    sentences: int | None, development: float, fold_seed: int, quick: bool, no_relation: Sequence[str] = (), on_error: OnError = "stop",
    entities: Entities | None = None, match: Match = "strict",
) -> Plan:  # fmt: skip
    """Raises ConfigError if there is no data to make it of, or options contradict each other."""
    require(data is not None, "--data", expected="a corpus, format:path or a path", got=data)
    assert data is not None
    require(split in ("folds", "own"), "--split", expected="folds or own", got=split)
    if split == "own":
        for option, value, unset in (("--folds", folds, None), ("--development", development, Plan.development)):
            require(value == unset, option, expected="none beside --split own, which takes the parts of the corpus", got=value)
    _check_sizes(folds, sentences, development, fold_seed)
    source = resolve(data, no_relation)
    chosen = direction or source.direction or "directed"
    require(chosen in DIRECTIONS, "--direction", expected=" or ".join(DIRECTIONS), got=chosen)
    return Plan(
        data=data, checksum=source.sha256(), language=language or source.language, direction=chosen, type_filter=type_filter,  # type: ignore[arg-type]
        folds=1 if split == "own" else folds or (QUICK_FOLDS if quick else FOLDS), fold_seed=fold_seed, development=development,
        sentences=sentences or (QUICK_SENTENCES if quick else None), quick=quick, no_relation=tuple(no_relation), on_error=on_error,
        entities=entities, match=match, split=split,  # type: ignore[arg-type]
    )  # fmt: skip


def _check_sizes(folds: int | None, sentences: int | None, development: float, fold_seed: int) -> None:
    """Raises ConfigError for numbers that no data has, before any is read."""
    require(folds is None or 2 <= folds <= MOST_FOLDS, "--folds", expected=f"2 to {MOST_FOLDS}", got=folds)
    is_size = sentences is None or 1 <= sentences <= MOST_SENTENCES
    require(is_size, "--sentences", expected=f"1 to {MOST_SENTENCES}, or none for all of them", got=sentences)
    require(0 < development < 1, "--development", expected="a share between 0 and 1", got=development)
    require(0 <= fold_seed < SEEDS_END, "--fold-seed", expected="a number from 0 that fits into 63 bits", got=fold_seed)


def usable_jobs(jobs: int, *, cluster: bool = False) -> int:
    """Raises ConfigError for more processes than the machine can be asked to hold: each loads the data and a model.

    Args: cluster: they are shared among machines.
    """
    if cluster:
        require(1 <= jobs <= _MOST_ON_CLUSTER, "--jobs", expected=f"1 to {_MOST_ON_CLUSTER}", got=jobs)
        return jobs
    processors = os.cpu_count() or 1
    most = max(8, 4 * processors)
    require(1 <= jobs <= most, "--jobs", expected=f"1 to {most} with the {processors} processors of this machine", got=jobs)
    return jobs


def system_of(
    file: dict[str, Any], where: str, *, name: str | None, model: str | None, preset: str | None, tagger: str, select_on: str,
    test_ratio: float | None,
) -> System:  # fmt: skip
    """From a configuration file and options, which win. Raises ConfigError if the file says what belongs to the grid."""
    section = file.get("model", {})
    if not isinstance(section, dict):
        raise ConfigError(f"{where}: model: expected a section with name, preset and options, got {section!r}")
    chosen = model or section.get("name", "multitask_cnn")
    start = section.get("preset", "paper") if preset is None else preset or None
    rest = file | {"model": {key: value for key, value in section.items() if key not in ("name", "preset")}}
    overrides = tuple(flattened({key: value for key, value in rest.items() if value != {}}))
    refuse_shared(overrides, where)
    return System(
        name=name or chosen, title=name or chosen, model=chosen, preset=start, overrides=overrides,
        tagger=tagger, select_on=select_on, test_ratio=test_ratio,  # type: ignore[arg-type]
    )  # fmt: skip


def adapted(systems: Sequence[System], plan: Plan, overrides: Sequence[str]) -> tuple[System, ...]:
    """In the data's language, with the user's overrides; a parser or an encoder is an option of those alone that read what it gives."""
    refuse_shared(overrides, "--set")
    quick = [QUICK_OVERRIDE] if plan.quick else []

    def chosen(system: System) -> list[str]:
        reads = _inputs(system.with_overrides(*overrides))
        foreign = tuple(f"{option}=" for option, part in GIVES.items() if part not in reads)
        return [text for text in [*quick, *overrides] if not text.startswith(foreign)]

    return tuple(system.in_language(plan.language).with_overrides(*chosen(system)) for system in systems)


def _inputs(system: System) -> frozenset[Input]:
    """What the model of a system reads of a sentence."""
    config = load_config(model=system.model, preset=system.preset, overrides=list(system.overrides))
    return inputs_of(config.model.name, config.model.options)


def refuse_shared(overrides: Sequence[str], where: str) -> None:
    """Raises ConfigError for a value that the whole grid has one of, and that would be another one than its report says."""
    for text in overrides:
        if (key := text.partition("=")[0]) in SHARED:
            raise ConfigError(
                f"{where} {key}: expected what all systems of the grid share as --direction, --type-filter, --seeds, --jobs or --device, "
                f"got {SHARED[key]} here; leave it out"
            )


def cells_asked_for(
    systems: Sequence[System], plan: Plan, *, seeds: int | None, only_folds: Sequence[int] | None, only_seeds: Sequence[int] | None,
    device: str,
) -> list[Cell]:  # fmt: skip
    """Raises ConfigError for a fold that the plan does not have."""
    require(seeds is None or 1 <= seeds <= MOST_SEEDS, "--seeds", expected=f"1 to {MOST_SEEDS}", got=seeds)
    for seed in only_seeds or ():
        require(0 <= seed < SEEDS_END, "--only-seed", expected="a number from 0 that fits into 63 bits", got=seed)
    folds = only_folds or range(1, plan.folds + 1)
    require(min(folds) >= 1 and max(folds) <= plan.folds, "--only-fold", expected=f"folds 1 to {plan.folds}", got=folds)
    return cells_of(systems, folds, only_seeds or range(1, 1 + (seeds or (QUICK_SEEDS if plan.quick else SEEDS))), device)


def usable_device(name: str) -> str:
    """`auto` by its real name. Raises ConfigError for one that torch cannot compute on."""
    return str(checked_device(name, "--device"))


def flattened(values: dict[str, Any], before: str = "") -> list[str]:
    """Nested sections as `--set` takes them."""
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines += flattened(value, f"{before}{key}.")
        else:
            text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=sys.maxsize)
            text = text.removesuffix("\n").removesuffix("\n...")  # the mark that ends a document
            lines.append(f"{before}{key}={text}")
    return lines
