"""What `cv` and `reproduce` share: what they tell the user while they compute cells and write reports."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from relsift.cli.output import echo, note

if TYPE_CHECKING:
    from relsift.experiments.cell import Cell
    from relsift.experiments.experiment import Experiment
    from relsift.experiments.result import Plan, Results
    from relsift.experiments.system import System


def trainable(systems: Sequence[System], plan: Plan) -> list[System]:
    """Those that the data allows; the others are named with the reason, and stay empty rows of the report."""
    from relsift.experiments.cell import why_not_trainable

    reasons = {system.name: why_not_trainable(system, plan) for system in systems}
    for system in systems:
        if (reason := reasons[system.name]) is not None:
            note(f"{system.title} is left out: {reason}")
    return [system for system in systems if reasons[system.name] is None]


def check_out(out: Path, data: str | None) -> None:
    """Raises ConfigError if the folder of a grid is a run or model folder, a part of one, or would change the data."""
    from relsift.corpora.data import resolve
    from relsift.files import check_output

    for place in (out, out / "plan.json"):
        check_output(place, [] if data is None else resolve(data).inputs, option="--out")


def compute(cells: Sequence[Cell], plan: Plan, out: Path, *, jobs: int, ray: bool = False, address: str | None = None) -> None:
    """Compute the missing cells of a grid, with a line a cell. Args: ray: on a cluster. address: of it."""
    from relsift.cli.data_options import tell
    from relsift.cli.grid_progress import GridProgress
    from relsift.experiments.cell import left_out, warnings_of
    from relsift.experiments.cell_files import finished_names
    from relsift.experiments.grid import run_grid

    systems, folds, seeds = ({getattr(cell, name) for cell in cells} for name in ("system", "fold", "seed"))
    ready = len({cell.name for cell in cells} & finished_names(out))
    echo(
        plan.setting(),
        f"{len(systems)} systems x {len(folds)} folds x {len(seeds)} seeds = {len(cells)} cells, {ready} ready, "
        f"{jobs} at a time", err=True,
    )  # fmt: skip
    for line in left_out(plan) if ready < len(cells) else ():
        note(f"left out of {plan.data}: {line}")
    tell(warnings=warnings_of(plan) if ready < len(cells) else ())
    with GridProgress(len(cells), ready) as progress:
        if ray and ready < len(cells):
            from relsift.integrations.ray_cluster import cluster, tasks

            with cluster(address, jobs) as joined:
                gpus = float(any(cell.device.startswith("cuda") for cell in cells))
                run_grid(cells, plan, out, jobs=jobs, each=partial(tasks, joined, gpus=gpus), on_cell=progress.show)
        else:
            run_grid(cells, plan, out, jobs=jobs, on_cell=progress.show)


def pack(folder: Path) -> None:
    """Put all finished cells of a folder into one file, and say how many there are."""
    from relsift.experiments.cell_files import PACK_FILE
    from relsift.experiments.grid import pack_grid

    echo(f"{pack_grid(folder)} cells packed in {folder / PACK_FILE}", err=True)


def write(experiment: Experiment, results: Results, cells: Path, out: Path) -> None:
    """Write the report of the cells in one folder to that or another one, and say where."""
    from relsift.experiments.experiment import command_of
    from relsift.report.write import write_report

    files = write_report(experiment.report(results, command_of(experiment, results, cells)), out, experiment.name)
    for file in files:
        if file.suffix in (".md", ".html"):
            echo(f"report written to {file}")
