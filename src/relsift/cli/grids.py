"""What `cv` and `reproduce` share: options, the plan they make, and the progress of a grid."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

if TYPE_CHECKING:
    from relsift.experiments.experiment import Experiment
    from relsift.experiments.grid import Progress
    from relsift.experiments.result import Plan, Results
    from relsift.experiments.system import System

SHARED = {
    "candidates.direction": "--direction", "candidates.type_filter": "--type-filter", "training.seed": "--seeds",
    "training.threads": "--jobs", "training.device": "--device",
}  # fmt: skip
QUICK_FOLDS, QUICK_SENTENCES, QUICK_OVERRIDE = 2, 300, "training.epochs=3"

Data = Annotated[str | None, typer.Option(help="Annotated data: a prepared corpus, format:path, or a path. All its parts together.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the grid; finished cells in it are not computed again.")]
Folds = Annotated[int | None, typer.Option(help="Folds, by document; 5 if left out.", min=2)]
Seeds = Annotated[int | None, typer.Option(help="Seeds 1, 2, … of every fold; 3 if left out.", min=1)]
Jobs = Annotated[int, typer.Option(help="Cells computed side by side, one CPU thread each.", min=1)]
Device = Annotated[str, typer.Option(help="cpu, cuda or auto, for all cells computed now; moves a score as another seed would.")]
DirectionOption = Annotated[str | None, typer.Option("--direction", help="directed or undirected; the data's usual one if left out.")]
Language = Annotated[str | None, typer.Option(help="en, zh …; the corpus's own if left out. Decides on presets and the tagger.")]
TypeFilter = Annotated[bool, typer.Option(help="Score only type combinations of training relations.")]
Sentences = Annotated[int | None, typer.Option(help="Take a sample of whole documents with so many sentences.", min=1)]
Development = Annotated[float, typer.Option(help="Share of each training part held out for selection.")]
FoldSeed = Annotated[int, typer.Option(help="Decides which document is in which fold.", min=0)]
OnlyFold = Annotated[list[int] | None, typer.Option("--only-fold", help="Compute this fold only; may be given several times.", min=1)]
OnlySeed = Annotated[list[int] | None, typer.Option("--only-seed", help="Compute this seed only; may be given several times.", min=0)]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override a value in every system: training.epochs=10 …")]
Quick = Annotated[bool, typer.Option("--quick", help="A trial of the machinery: 2 folds, 1 seed, 300 sentences, 3 epochs.")]


def make_plan(
    data: str | None,
    folds: int | None,
    direction: str | None,
    language: str | None,
    type_filter: bool,
    sentences: int | None,
    development: float,
    fold_seed: int,
    quick: bool,
) -> Plan:
    """Raises ConfigError if there is no data to make it of."""
    from relsift.candidates import DIRECTIONS
    from relsift.corpora.data import resolve
    from relsift.errors import require
    from relsift.experiments.result import Plan

    require(data is not None, "--data", expected="a corpus, format:path or a path", got=data)
    assert data is not None
    source = resolve(data)
    chosen = direction or source.direction or "directed"
    require(chosen in DIRECTIONS, "--direction", expected=" or ".join(DIRECTIONS), got=chosen)
    return Plan(
        data=data, checksum=source.sha256(), language=language or source.language, direction=chosen, type_filter=type_filter,  # type: ignore[arg-type]
        folds=folds or (QUICK_FOLDS if quick else 5), fold_seed=fold_seed, development=development,
        sentences=sentences or (QUICK_SENTENCES if quick else None), quick=quick,
    )  # fmt: skip


def system_of(
    file: dict[str, Any], where: str, name: str | None, model: str | None, preset: str | None, tagger: str, select_on: str,
    test_ratio: float | None,
) -> System:  # fmt: skip
    """From a configuration file and options, which win. Raises ConfigError if the file says what belongs to the grid."""
    from relsift.errors import ConfigError
    from relsift.experiments.system import System

    section = file.get("model", {})
    if not isinstance(section, dict):
        raise ConfigError(f"{where}: model: expected a section with name, preset and options, got {section!r}")
    chosen = model or section.get("name", "multitask_cnn")
    start = section.get("preset", "paper") if preset is None else preset or None
    rest = file | {"model": {key: value for key, value in section.items() if key not in ("name", "preset")}}
    given = tuple(flattened({key: value for key, value in rest.items() if value != {}}))
    refuse_shared(given, where)
    return System(
        name=name or chosen, title=name or chosen, model=chosen, preset=start, overrides=given,
        tagger=tagger, select_on=select_on, test_ratio=test_ratio,  # type: ignore[arg-type]
    )  # fmt: skip


def adapted(systems: Sequence[System], plan: Plan, overrides: Sequence[str]) -> tuple[System, ...]:
    """In the data's language, with the user's overrides; a parser is an option of those alone that read dependency trees."""
    from relsift.registry import find

    refuse_shared(overrides, "--set")
    quick = [QUICK_OVERRIDE] if plan.quick else []

    def chosen(system: System) -> list[str]:
        reads_trees = "trees" in find("model", system.model).READS
        return [text for text in [*quick, *overrides] if reads_trees or not text.startswith("encoding.parser=")]

    return tuple(system.in_language(plan.language).with_overrides(*chosen(system)) for system in systems)


def refuse_shared(overrides: Sequence[str], where: str) -> None:
    """Raises ConfigError for a value that the whole grid has one of, and that would be another one than its report says."""
    from relsift.errors import ConfigError

    for text in overrides:
        if (key := text.partition("=")[0]) in SHARED:
            raise ConfigError(
                f"{where} {key}: expected what all systems of the grid share as --direction, --type-filter, --seeds, --jobs or --device, "
                f"got {SHARED[key]} here; leave it out"
            )


def trainable(systems: Sequence[System], plan: Plan) -> list[System]:
    """Those that the data allows; the others are named with the reason, and stay empty rows of the report."""
    from relsift.experiments.cell import why_not_trainable

    reasons = {system.name: why_not_trainable(system, plan) for system in systems}
    for system in systems:
        if (reason := reasons[system.name]) is not None:
            typer.echo(f"note: {system.title} is left out: {reason}", err=True)
    return [system for system in systems if reasons[system.name] is None]


def compute(
    systems: Sequence[System],
    plan: Plan,
    out: Path,
    jobs: int,
    device: str,
    seeds: int | None,
    only_folds: list[int] | None,
    only_seeds: list[int] | None,
) -> None:
    """Compute the missing cells of a grid, with a line a cell."""
    from relsift.errors import require
    from relsift.experiments.cell import left_out
    from relsift.experiments.grid import cells_of, run_grid

    device = usable_device(device)
    folds = only_folds or list(range(1, plan.folds + 1))
    require(max(folds) <= plan.folds, "--only-fold", expected=f"folds 1 to {plan.folds}", got=folds)
    numbers = only_seeds or list(range(1, 1 + (seeds or (1 if plan.quick else 3))))
    cells = cells_of(systems, folds, numbers, device)
    ready = sum(cell.file(out).exists() for cell in cells)
    typer.echo(
        f"{plan.setting()}\n{len(systems)} systems x {len(folds)} folds x {len(numbers)} seeds = {len(cells)} cells, {ready} ready, "
        f"{jobs} at a time", err=True,
    )  # fmt: skip
    for line in left_out(plan) if ready < len(cells) else ():
        typer.echo(f"note: left out of {plan.data}: {line}", err=True)
    with GridProgress(len(cells), ready) as progress:
        run_grid(cells, plan, out, jobs=jobs, on_cell=progress.cell)


def usable_device(name: str) -> str:
    """`auto` by its real name. Raises ConfigError for one that torch cannot compute on."""
    import torch

    from relsift.errors import ConfigError
    from relsift.training.device import torch_device

    try:
        device = torch_device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA: AssertionError
        first = str(error).partition("\n")[0]
        raise ConfigError(f"--device: expected cpu, auto, or cuda on a machine that has it, got {name} ({first})") from error
    return str(device)


def write(experiment: Experiment, results: Results, cells: Path, out: Path) -> None:
    """Write the report of the cells in one folder to that or another one, and say where."""
    from relsift.report.write import write_report

    files = write_report(experiment.report(results, command_of(experiment, results, cells)), out, experiment.name)
    for file in files:
        if file.suffix in (".md", ".html"):
            typer.echo(f"report written to {file}")


def command_of(experiment: Experiment, results: Results, folder: Path) -> str:
    """What computes the whole report again: the folds and seeds that there are, the overrides that were given to all systems."""
    plain = {system.name: system.overrides for system in experiment.systems(results.plan)}
    if not plain:
        return f"relsift reproduce {experiment.name} --from-results {shlex.quote(str(folder))}"
    further: dict[str, None] = {}
    for system in results.systems:
        if results.of(system):
            further |= dict.fromkeys(system.overrides[len(plain[system.name]) :])
    further.pop(QUICK_OVERRIDE if results.plan.quick else "", None)
    sets = "".join(f" --set {shlex.quote(text)}" for text in further)
    devices = {cell.device for system in results.systems for cell in results.of(system)}
    where = f" --device {shlex.quote(*devices)}" if len(devices) == 1 and devices != {"cpu"} else ""
    chosen = f"{results.plan.options()}{_chosen_cells(results)}{sets}{where}"
    return f"relsift reproduce {experiment.name} {chosen} --out {shlex.quote(str(folder))}"


def _chosen_cells(results: Results) -> str:
    """As options: the seeds of the cells, and their folds if not all have some."""
    places = [(cell.fold, cell.seed) for system in results.systems for cell in results.of(system)]
    folds, seeds = ({place[at] for place in places} for at in (0, 1))
    said = f" --seeds {len(seeds)}" if seeds == set(range(1, len(seeds) + 1)) else "".join(f" --only-seed {seed}" for seed in sorted(seeds))
    return said + ("".join(f" --only-fold {fold}" for fold in sorted(folds)) if len(folds) < results.plan.folds else "")


class GridProgress:
    """A bar on a terminal, and one line a cell everywhere."""

    def __init__(self, total: int, ready: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self.console = Console(stderr=True)
        self.bar = Bar(
            TextColumn("cells"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}"),
            console=self.console, disable=not self.console.is_terminal, transient=True,
        )  # fmt: skip
        self.task = self.bar.add_task("", total=total, completed=ready, left="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.bar.stop()

    def cell(self, event: Progress) -> None:
        result = event.result
        left = f"about {spoken(event.left)} left" if event.done < event.total else "done"
        self.console.print(
            f"{event.done}/{event.total}  {event.cell.name}  test F1 {100 * result.test.micro.f1:.1f}  "
            f"epoch {result.best_epoch} of {result.epochs}  {result.seconds:.0f} s  {left}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        self.bar.update(self.task, completed=event.done, left=left)


def spoken(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def flattened(values: dict[str, Any], before: str = "") -> list[str]:
    """Nested sections as `--set` takes them."""
    import yaml

    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            lines += flattened(value, f"{before}{key}.")
        else:
            text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=sys.maxsize)
            text = text.removesuffix("\n").removesuffix("\n...")  # the mark that ends a document
            lines.append(f"{before}{key}={text}")
    return lines
