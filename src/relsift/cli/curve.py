"""relsift curve"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli import data_options, training_options
from relsift.cli.output import echo, echo_json, show
from relsift.omissions import counted

if TYPE_CHECKING:
    from relsift.experiments.learning_curve import CurveCell


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder of the curve; finished trainings in it are not computed again.")],
    sizes: Annotated[str, typer.Option(help="Shares of the training documents, with commas between.")] = "0.125,0.25,0.5,1",
    seeds: Annotated[int, typer.Option(help="Trainings of every size, each with a sample of its own.")] = 3,
    test: Annotated[bool, typer.Option("--test", help="Score the test part too: for the last curve, not to choose by.")] = False,
    dev: training_options.Dev = None,
    dev_fraction: training_options.DevFraction = None,
    model: training_options.Model = "auto",
    preset: training_options.Preset = None,
    config: training_options.Config = None,
    overrides: training_options.Overrides = None,
    encoder: training_options.Encoder = None,
    device: training_options.Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the curve as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Train on growing samples of the documents, and say what twice the annotations would bring; resumes by itself."""
    from relsift.cli.grid_progress import GridProgress
    from relsift.experiments.learning_curve import finished, learning_curve, shares_of
    from relsift.experiments.report.learning_curve import answer, curve_json, curve_report, size_table
    from relsift.report.write import write_report
    from relsift.training.data import scoring_data

    shares = shares_of(sizes)
    name = data_options.one_data(data, data_option)
    given = [*(overrides or [])]
    configure, loaded = training_options.configured(
        name, out, dev=dev, dev_fraction=dev_fraction, model=model, preset=preset, config=config, overrides=given, encoder=encoder,
        device=device, no_relation=no_relation or (), on_error=on_error,
    )  # fmt: skip
    run_config, to_test = configure([]), None
    if test:
        window, on_error_checked = run_config.candidates.window, data_options.as_on_error(on_error)
        to_test = scoring_data(name, no_relation=no_relation or (), on_error=on_error_checked, window=window)
        data_options.tell(to_test.notes, to_test.warnings)
    first, total = run_config.training.seed, len(shares) * seeds
    ready = sum(finished(out, seed, share) is not None for seed in range(first, first + min(seeds, 1000)) for share in shares)
    grid = f"{counted(len(shares), 'sizes')} x {counted(seeds, 'seeds')} = {counted(total, 'trainings')}"
    echo(f"{run_config.model.name} on {name}: {grid}, {ready} ready", err=True)
    with GridProgress(total, ready, "trainings") as progress:

        def tell(cell: CurveCell, done: int, seconds_left: float) -> None:
            text = f"{cell.name}  {counted(cell.sentences, 'sentences')}  development F1 {100 * cell.development:.1f}  {cell.seconds:.0f} s"
            progress.line(text, done, total, seconds_left)

        cells = learning_curve(run_config, loaded, out, shares, seeds, test=to_test, on_cell=tell)
    options = [
        "--data", name, "--model", run_config.model.name, "--sizes", sizes, "--seeds", str(seeds), *(["--test"] if test else []),
        *([] if dev is None else ["--dev", dev]), *([] if dev_fraction is None else ["--dev-fraction", f"{dev_fraction:g}"]),
        *([] if preset is None else ["--preset", preset]), *([] if config is None else ["--config", str(config)]),
        *([] if encoder is None else ["--encoder", encoder]), *(word for text in given for word in ("--set", text)),
        *(word for kind in no_relation or () for word in ("--no-relation", kind)),
        *([] if on_error == "stop" else ["--on-error", on_error]),
    ]  # fmt: skip
    again = shlex.join(["relsift", "curve", *options, "--out", str(out)])
    files = write_report(curve_report(cells, data=name, model=run_config.model.name, command=again), out, "curve")
    if as_json:
        echo_json(curve_json(cells, data=name, model=run_config.model.name))
        return
    show(size_table(cells))
    echo(cells[0].setting, answer(cells))
    for file in files:
        if file.suffix in (".md", ".html"):
            echo(f"report written to {file}")
