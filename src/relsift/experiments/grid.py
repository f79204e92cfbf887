"""Many cells on several processes. A finished cell is never computed again; a killed grid goes on where it was.

OUT/plan.json                              what all cells share (`Plan`)
OUT/cells/SYSTEM/fold<k>-seed<s>.json      one finished cell (`CellResult`); `pack_grid` makes one file of all (see `cell_files`)
OUT/unfinished/SYSTEM/fold<k>-seed<s>/     the run folder of a cell that is being trained; goes away with it
OUT/lock                                   empty; held by the process that computes
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from relsift.config import RunConfig
from relsift.encoding.tokenizers import subwords_of
from relsift.errors import CheckpointError, ConfigError, DataError, OutputError, RelsiftError
from relsift.experiments.cell import UNFINISHED, Cell, configured, run_cell
from relsift.experiments.cell_files import StoredCell, finished_names, pack_loose_cells, stored_cells
from relsift.experiments.result import CellResult, Plan, Results
from relsift.experiments.system import System
from relsift.files import locked, make_folder, write_json
from relsift.json_schema import conform
from relsift.json_text import read_json
from relsift.training.run_folder import file_checksums

PLAN_FILE = "plan.json"
LOCK_FILE = "lock"
Timed = tuple["CellResult", float]
"""A result, and the seconds that it took."""
Each = Callable[[Callable[[Cell], Timed], Sequence[Cell], int], Iterator[tuple[Cell, Timed]]]
"""Does the work on every cell somewhere, so many at once; gives cells and results in the order in which they get ready."""
_ADVICE = "use another --out"


@dataclass(frozen=True)
class FinishedCell:
    """A cell, as soon as it is computed."""

    cell: Cell
    result: CellResult
    done: int  # cells of the grid that are finished
    total: int  # cells of the grid
    seconds_left: float  # until the grid is done, as the finished cells suggest


def cells_of(systems: Sequence[System], folds: Sequence[int], seeds: Sequence[int], device: str = "cpu") -> list[Cell]:
    """Seed by seed, fold by fold: whenever a grid is stopped, its systems have about the same cells. What is named twice counts once.

    Of those that need a tagger one comes first and the others last: side by side they would all train it, and later ones find its tags.
    """
    tagged = [system for system in systems if system.tagger != "none"]
    order = [*tagged[:1], *(system for system in systems if system.tagger == "none"), *tagged[1:]]
    return list(dict.fromkeys(Cell(system, fold, seed, device) for seed in seeds for fold in folds for system in order))


def write_or_check_plan(folder: Path, plan: Plan) -> None:
    """Make the folder one of this plan. Raises CheckpointError if it is one of another plan."""
    if (folder / PLAN_FILE).exists():
        before = read_plan(folder)
        different = [name for name, value in asdict(plan).items() if getattr(before, name) != value]
        if different:
            expected, got = (", ".join(f"{name}={getattr(one, name)}" for name in different) for one in (plan, before))
            raise CheckpointError(f"{folder / PLAN_FILE}: expected a folder with {expected}, got one with {got}; use another --out")
        return
    make_folder(folder)
    write_json(folder / PLAN_FILE, plan.to_json())


def read_plan(folder: Path) -> Plan:
    file = folder / PLAN_FILE
    if not file.exists():
        raise DataError(f"{file}: expected a folder made by `relsift cv` or `relsift reproduce`, got No such file or directory")
    try:
        return conform(Plan, read_json(file, error=DataError, advice=_ADVICE), file, error=DataError, advice=_ADVICE)
    except ConfigError as error:
        raise DataError(f"{file}: expected the plan of a grid, got {error}") from error


def load_results(folder: Path, systems: Sequence[System] | None = None) -> Results:
    """The finished cells of a folder.

    Args: systems: which, in which order, and under which titles; their settings are those of the cells. None: all that have cells.
    Raises: DataError if the folder is not one of a grid; CheckpointError if cells of one system differ in their settings.
    """
    plan = read_plan(folder)
    stored: dict[str, list[StoredCell]] = {}
    for cell in stored_cells(folder, None if systems is None else {system.name for system in systems}):
        stored.setdefault(cell.result.system.name, []).append(cell)
    for cells in stored.values():
        for cell in cells:
            _check_alike(folder, cells[0], cell, plan)
    results = {name: [cell.result for cell in cells] for name, cells in stored.items()}
    computed = {name: cells[0].system for name, cells in results.items()}
    if systems is None:
        return Results(plan, tuple(computed.values()), results)
    named = (replace(computed[s.name], title=s.title) if s.name in computed else s for s in systems)
    return Results(plan, tuple(named), results)


def pack_grid(folder: Path) -> int:
    """Put all finished cells of a folder into one file; returns how many it has.

    Raises: CheckpointError if a process computes cells in the folder; DataError if it is not one of a grid, or has no cells.
    """
    plan = read_plan(folder)
    with locked(folder / LOCK_FILE, busy=f"{folder}: expected no process that computes cells here, got one; wait for it, then pack"):
        return pack_loose_cells(folder, plan)


def run_grid(
    cells: Sequence[Cell],
    plan: Plan,
    folder: Path,
    *,
    jobs: int = 1,
    each: Each | None = None,
    on_cell: Callable[[FinishedCell], None] | None = None,
) -> None:
    """Compute what is missing.

    Args: jobs: cells at once. each: computes them elsewhere, as on a cluster; None: processes of this machine.
    Raises: CheckpointError if the folder holds cells of other settings, or another process computes cells in it; whatever a training
    raises, with the cell's name before it.
    """
    write_or_check_plan(folder, plan)
    _check_files([cell for cell in cells if cell.name not in finished_names(folder)], plan, folder)
    clock = _Clock(jobs)
    # All that the systems have, asked for or not: cells of other settings must be refused before the new ones take hours.
    systems = dict.fromkeys(cell.system for cell in cells)
    for stored in stored_cells(folder, {system.name for system in systems}):
        for system in (system for system in systems if system.name == stored.result.system.name):
            cell = Cell(system, stored.result.fold, stored.result.seed)
            _check(folder, cell, stored, plan)
            clock.add(cell, stored.result.seconds)
    if {cell.name for cell in cells} <= finished_names(folder):
        _tidy(folder)
        return
    busy = f"{folder}: expected no other process that computes cells here, got one; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=busy):  # two at once would train the same cells in the same place
        write_or_check_plan(folder, plan)  # another process may have been here first
        finished = finished_names(folder)
        missing = [cell for cell in cells if cell.name not in finished]
        left = list(missing)
        for cell, result, seconds in _computed(missing, plan, folder, jobs, each):
            left.remove(cell)
            clock.add(cell, seconds)
            if on_cell is not None:
                on_cell(FinishedCell(cell, result, len(cells) - len(left), len(cells), clock.seconds_left(left)))
        _delete_leftovers(folder)


def _tidy(folder: Path) -> None:
    """Delete leftovers of killed processes, where nobody is at work and one may write."""
    if (folder / UNFINISHED).is_dir():
        with suppress(CheckpointError, DataError), locked(folder / LOCK_FILE, busy=f"{folder}: expected no other process, got one"):
            _delete_leftovers(folder)


def _delete_leftovers(folder: Path) -> None:
    """Delete run folders of cells that were saved just before a kill, on whatever device. The caller holds the lock."""
    finished = finished_names(folder)
    for place in (folder / UNFINISHED).glob("*/*"):
        if f"{place.parent.name}/{place.name.partition('@')[0]}" in finished:
            shutil.rmtree(place, ignore_errors=True)
    if not any((folder / UNFINISHED).glob("*/*")):
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)


def _check_files(missing: Sequence[Cell], plan: Plan, folder: Path) -> None:
    """What cells yet to be computed will read is there, works, and is what the finished cells of their systems have read."""
    for cell in {cell.system: cell for cell in missing}.values():
        config = configured(cell, plan)
        if (source := config.encoding.encoder) is not None:
            subwords_of(source)
        files = file_checksums(config)
        for stored in stored_cells(folder, {cell.system.name}):
            if changed := [name for name, checksum in stored.result.files.items() if files.get(name) != checksum]:
                raise CheckpointError(
                    f"{stored.where}: expected a cell that read the same {' and '.join(changed)} as the next ones will, got one that read "
                    "other files of that name; use another --out"
                )


class _Clock:
    """How long cells take, by system."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.seconds: dict[str, list[float]] = {}

    def add(self, cell: Cell, seconds: float) -> None:
        self.seconds.setdefault(cell.system.name, []).append(seconds)

    def seconds_left(self, cells: Sequence[Cell]) -> float:
        means = {name: sum(values) / len(values) for name, values in self.seconds.items()}
        usual = sum(means.values()) / len(means) if means else 0.0
        return sum(means.get(cell.system.name, usual) for cell in cells) / min(self.jobs, max(1, len(cells)))


def _check(folder: Path, cell: Cell, stored: StoredCell, plan: Plan) -> None:
    """The file holds what would be computed: same plan, same system, same configuration."""
    _check_plan(folder, stored, plan)
    # An option that is younger than the cell has its default there.
    expected, got = configured(cell, plan), RunConfig.model_validate(stored.result.config)
    _compare(stored.where, _settings(cell.system, expected), _settings(stored.result.system, got))


def _check_alike(folder: Path, first: StoredCell, other: StoredCell, plan: Plan) -> None:
    _check_plan(folder, other, plan)
    expected, got = (
        _settings(cell.system, RunConfig.model_validate(cell.config | {"training": cell.config["training"] | {"seed": 0}}))
        for cell in (first.result, other.result)
    )
    for name in first.result.files.keys() & other.result.files.keys():  # cells from before they were recorded have none
        expected[f"file of {name}"], got[f"file of {name}"] = first.result.files[name], other.result.files[name]
    _compare(other.where, expected, got)


def _check_plan(folder: Path, stored: StoredCell, plan: Plan) -> None:
    if stored.result.plan != plan:
        raise CheckpointError(
            f"{stored.where}: expected a cell of the plan in {folder / PLAN_FILE}, got one of another plan; use another --out"
        )


def _settings(system: System, config: RunConfig) -> dict[str, Any]:
    """All that decides the numbers, flat, as JSON has it. A device rounds otherwise, as a processor does, and may differ."""
    values = {f"{section}.{key}": value for section, options in config.model_dump(mode="json").items() for key, value in options.items()}
    del values["training.device"]
    return values | {name: getattr(system, name) for name in ("tagger", "select_on", "test_ratio")}


def _compare(where: str, expected: dict[str, Any], got: dict[str, Any]) -> None:
    names = [name for name in {**expected, **got} if expected.get(name) != got.get(name)]
    if names:
        differing = ", ".join(f"{name} {expected.get(name)!r} and not {got.get(name)!r}" for name in names)
        raise CheckpointError(f"{where}: expected a cell with {differing}; use another --out or name")


def _computed(
    cells: Sequence[Cell], plan: Plan, folder: Path, jobs: int, each: Each | None
) -> Iterator[tuple[Cell, CellResult, float]]:
    """Every cell with its result and the seconds it took, in the order in which they get ready."""
    if each is not None:
        for cell, timed in each(partial(_timed, plan=plan, folder=folder), cells, jobs):
            yield cell, *timed
        return
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


def _timed(cell: Cell, plan: Plan, folder: Path) -> Timed:
    started = time.perf_counter()
    try:
        result = run_cell(cell, plan, folder)
    except OutputError as error:
        raise OutputError(f"{cell.name}: {error}") from error
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
