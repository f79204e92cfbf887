"""Many cells on several processes. A finished cell is never computed again; a killed grid goes on where it was.

OUT/plan.json                              what all cells share (`Plan`)
OUT/cells/SYSTEM/fold<k>-seed<s>.json      one finished cell (`CellResult`)
OUT/unfinished/SYSTEM/fold<k>-seed<s>/     the run folder of a cell that is being trained; goes away with it
OUT/lock                                   empty; held by the process that computes
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from relsift.config import RunConfig
from relsift.errors import CheckpointError, DataError, RelsiftError
from relsift.experiments.cell import Cell, configured, run_cell
from relsift.experiments.result import CELL_FILES, CellResult, Plan, Results
from relsift.experiments.system import System
from relsift.files import locked, write_json

PLAN_FILE = "plan.json"
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Progress:
    """A cell was finished. left: seconds until the grid is done, as the finished cells suggest."""

    cell: Cell
    result: CellResult
    done: int
    total: int
    left: float


def cells_of(systems: Sequence[System], folds: Sequence[int], seeds: Sequence[int], device: str = "cpu") -> list[Cell]:
    """Seed by seed, fold by fold: whenever a grid is stopped, its systems have about the same cells. What is named twice counts once.

    Of those that need a tagger one comes first and the others last: side by side they would all train it, and later ones find its tags.
    """
    tagged = [system for system in systems if system.tagger != "none"]
    order = [*tagged[:1], *(system for system in systems if system.tagger == "none"), *tagged[1:]]
    return list(dict.fromkeys(Cell(system, fold, seed, device) for seed in seeds for fold in folds for system in order))


def claim(folder: Path, plan: Plan) -> None:
    """Make the folder one of this plan. Raises CheckpointError if it is one of another plan."""
    if (folder / PLAN_FILE).exists():
        before = read_plan(folder)
        different = [name for name, value in asdict(plan).items() if getattr(before, name) != value]
        if different:
            found = ", ".join(f"{name}={getattr(before, name)}" for name in different)
            asked = ", ".join(f"{name}={getattr(plan, name)}" for name in different)
            raise CheckpointError(f"{folder / PLAN_FILE}: expected a folder with {asked}, got one with {found}; use another --out")
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / PLAN_FILE, asdict(plan))


def read_plan(folder: Path) -> Plan:
    file = folder / PLAN_FILE
    try:
        return Plan(**json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{file}: expected a folder made by `relsift cv` or `relsift reproduce`, got {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"{file}: expected the plan of a grid, got {error}") from error


def load_results(folder: Path, systems: Sequence[System] | None = None) -> Results:
    """What is there.

    Args: systems: which, in which order, and under which titles; their settings are those of the cells. None: all that are there.
    Raises: DataError if the folder is not one of a grid; CheckpointError if cells of one system differ in their settings.
    """
    plan = read_plan(folder)
    if systems is None:
        names = sorted(path.name for path in (folder / "cells").glob("*") if path.is_dir())
    else:
        names = [system.name for system in systems]
    titles = {system.name: system.title for system in systems or ()}
    found: list[System] = []
    cells: dict[str, list[CellResult]] = {}
    for name in names:
        its = _cells_there(folder, name)
        if not its:
            found += [system for system in systems or () if system.name == name]
            continue
        for result in its:
            _check_alike(folder, its[0], result, plan)
        found.append(replace(its[0].system, title=titles.get(name, its[0].system.title)))
        cells[name] = sorted(its, key=lambda result: (result.fold, result.seed))
    return Results(plan, tuple(found), cells)


def run_grid(cells: Sequence[Cell], plan: Plan, folder: Path, *, jobs: int = 1, on_cell: Callable[[Progress], None] | None = None) -> None:
    """Compute what is missing.

    Raises: CheckpointError if the folder holds cells of other settings, or another process computes cells in it; whatever a training
    raises, with the cell's name before it.
    """
    claim(folder, plan)
    clock = _Clock(jobs)
    # All that the systems have, asked for or not: cells of other settings must be refused before the new ones take hours.
    for system in dict.fromkeys(cell.system for cell in cells):
        for result in _cells_there(folder, system.name):
            cell = Cell(system, result.fold, result.seed)
            _check(folder, cell, result, plan)
            clock.add(cell, result.seconds)
    if all(cell.file(folder).exists() for cell in cells):
        return
    busy = f"{folder}: expected no other process that computes cells here, got one; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=busy):  # two at once would train the same cells in the same place
        claim(folder, plan)  # another process may have been here first
        todo = [cell for cell in cells if not cell.file(folder).exists()]
        left = list(todo)
        for cell, result, seconds in _computed(todo, plan, folder, jobs):
            left.remove(cell)
            clock.add(cell, seconds)
            if on_cell is not None:
                on_cell(Progress(cell, result, len(cells) - len(left), len(cells), clock.left(left)))
        if not any((folder / "unfinished").glob("*/*")):
            shutil.rmtree(folder / "unfinished", ignore_errors=True)


def _cells_there(folder: Path, system: str) -> list[CellResult]:
    return [CellResult.load(file) for file in sorted((folder / "cells" / system).glob(CELL_FILES))]


class _Clock:
    """How long cells take, by system."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.seconds: dict[str, list[float]] = {}

    def add(self, cell: Cell, seconds: float) -> None:
        self.seconds.setdefault(cell.system.name, []).append(seconds)

    def left(self, cells: Sequence[Cell]) -> float:
        means = {name: sum(values) / len(values) for name, values in self.seconds.items()}
        usual = sum(means.values()) / len(means) if means else 0.0
        return sum(means.get(cell.system.name, usual) for cell in cells) / min(self.jobs, max(1, len(cells)))


def _check(folder: Path, cell: Cell, result: CellResult, plan: Plan) -> None:
    """The file holds what would be computed: same plan, same system, same configuration."""
    _check_plan(folder, cell, result, plan)
    # An option that is younger than the cell has its default there.
    wanted, there = configured(cell, plan), RunConfig.model_validate(result.config)
    _compare(cell.file(folder), _settings(cell.system, wanted), _settings(result.system, there))


def _check_alike(folder: Path, first: CellResult, other: CellResult, plan: Plan) -> None:
    cell = Cell(other.system, other.fold, other.seed)
    _check_plan(folder, cell, other, plan)
    configs = [RunConfig.model_validate(result.config | {"training": result.config["training"] | {"seed": 0}}) for result in (first, other)]
    _compare(cell.file(folder), _settings(first.system, configs[0]), _settings(other.system, configs[1]))


def _check_plan(folder: Path, cell: Cell, result: CellResult, plan: Plan) -> None:
    if result.plan != plan:
        where = cell.file(folder)
        raise CheckpointError(f"{where}: expected a cell of the plan in {folder / PLAN_FILE}, got one of another plan; use another --out")


def _settings(system: System, config: RunConfig) -> dict[str, Any]:
    """All that decides the numbers, flat. A device rounds otherwise, as a processor does, and may differ."""
    values = {f"{section}.{key}": value for section, its in config.model_dump().items() for key, value in its.items()}
    del values["training.device"]
    return values | {name: getattr(system, name) for name in ("tagger", "select_on", "test_ratio")}


def _compare(where: Path, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    if names:
        differing = ", ".join(f"{name} {wanted.get(name)!r} and not {found.get(name)!r}" for name in names)
        raise CheckpointError(f"{where}: expected a cell with {differing}; use another --out or name")


def _computed(cells: Sequence[Cell], plan: Plan, folder: Path, jobs: int) -> Iterator[tuple[Cell, CellResult, float]]:
    """Every cell with its result and the seconds it took, in the order in which they get ready."""
    if jobs == 1 or len(cells) <= 1:
        for cell in cells:
            yield cell, *_timed(cell, plan, folder)
        return
    context = multiprocessing.get_context("spawn")  # a forked child cannot use OpenMP threads
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(jobs, len(cells)), mp_context=context, initializer=_begin_worker)
    try:
        running: dict[Future[tuple[CellResult, float]], Cell] = {pool.submit(_timed, cell, plan, folder): cell for cell in cells}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), *future.result()
    except BrokenProcessPool as error:
        raise RelsiftError(
            f"--jobs {jobs}: expected every process to live until its cell is done, one was killed (out of memory?); "
            "run the same command again, with fewer jobs"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()  # what it was at goes on from its last epoch


def _timed(cell: Cell, plan: Plan, folder: Path) -> tuple[CellResult, float]:
    started = time.perf_counter()
    try:
        result = run_cell(cell, plan, folder)
    except RelsiftError as error:
        raise RelsiftError(f"{cell.name}: {error}") from error
    return result, time.perf_counter() - started


def _begin_worker() -> None:
    """Leave interrupts to the parent, and do not outlive it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
