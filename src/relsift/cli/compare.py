"""relsift compare"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from relsift.evaluation.significance import Comparison
    from relsift.experiments.comparison import SystemComparison
    from relsift.experiments.result import CellResult
    from relsift.report.blocks import Table

Rows = list[tuple[str, str]]
Outcome = tuple["Comparison", tuple[str, str], str, Rows]  # the comparison, both names, setting line, further rows of the table


def command(
    first: Annotated[Path, typer.Argument(metavar="A", help="Folder of `relsift cv`, its cells/SYSTEM, or a run or model folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one of the same kind.")],
    data: Annotated[
        str | None, typer.Option(help="For run or model folders: annotated data; the test part of a corpus that has one.")
    ] = None,
    units: Annotated[str, typer.Option(help="What is drawn and swapped: document or sentence.")] = "document",
    samples: Annotated[int, typer.Option(help="Random samples of each test.", min=1, max=10_000_000)] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Is one system better than another, or is it chance? Paired tests of micro F1."""
    from dataclasses import asdict

    from rich.console import Console

    from relsift.errors import ConfigError
    from relsift.experiments.cell_files import cells_of_one_system
    from relsift.experiments.comparison import as_points, as_unit, verdict
    from relsift.report.terminal import rich_table

    options: dict[str, Any] = {"units": as_unit(units), "samples": samples}
    cells = cells_of_one_system(first), cells_of_one_system(second)
    if any(cells):
        if not all(cells):
            odd, other = (first, second) if cells[1] else (second, first)
            raise ConfigError(f"{odd}: expected cells of `relsift cv`, as in {other}, got none; compare two of a kind")
        if data is not None:
            raise ConfigError(f"--data: expected none beside folders of `relsift cv`, which hold their scores, got {data}")
        comparison, names, setting, further = _compare_cells((first, second), cells, options)
    else:
        comparison, names, setting, further = _compare_models((first, second), data, options)
    sentence = verdict(comparison, *names)
    if as_json:
        value = {"names": names, "setting": setting, "verdict": sentence} | asdict(comparison)
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
        return
    unit = f"{comparison.units} {units}s" + (f" × {comparison.runs} seeds" if comparison.runs > 1 else "")
    rows = [
        (f"micro F1 of {names[0]}", f"{100 * comparison.first:.1f}"),
        (f"micro F1 of {names[1]}", f"{100 * comparison.second:.1f}"),
        ("difference, points", f"{100 * comparison.difference:+.1f}"),
        (f"  its {100 * comparison.confidence:g} % interval", as_points(comparison.interval)),
        (f"  p, over {unit}", f"{comparison.p_value:.4f}"),
        *further,
    ]
    Console().print(rich_table(_table(rows)))
    typer.echo(f"{sentence}\n{setting}")


def _compare_cells(folders: tuple[Path, Path], cells: tuple[list[CellResult], list[CellResult]], options: dict[str, Any]) -> Outcome:
    from relsift.experiments.comparison import compare_systems

    first, second = cells
    comparison = compare_systems(first, second, **options)
    titles = first[0].system.title, second[0].system.title
    plan = first[0].plan
    folds = "" if plan.split == "own" else f" · folds {_numbers(comparison.folds)}"
    setting = f"{plan.setting()}{folds} · seeds {_numbers(comparison.seeds)}"
    for side, title in zip((first, second), titles):
        if side[0].system.select_on == "test":
            typer.echo(f"note: {title} chose epoch and threshold on its test parts, which makes its score too high", err=True)
        if any(cell.order_leak for cell in side):
            typer.echo(f"note: {title} chose its candidates by the gold annotation (order leak), which makes its score too high", err=True)
    if comparison.unpaired:
        typer.echo(f"note: {comparison.unpaired} cells left out, whose fold and seed are not there on both sides", err=True)
    if len(comparison.folds) < plan.folds:
        typer.echo(f"note: {len(comparison.folds)} of {plan.folds} folds only", err=True)
    names = titles if titles[0] != titles[1] else (str(folders[0]), str(folders[1]))
    return comparison, names, setting, [] if plan.split == "own" else _fold_rows(comparison)


def _fold_rows(comparison: SystemComparison) -> Rows:
    from relsift.experiments.comparison import as_points

    won, lost = comparison.folds_won()
    count, size = len(comparison.folds), comparison.effect_size
    each = ", ".join(f"{100 * value:+.1f}" for value in comparison.fold_differences.values())
    rows = [("difference by fold, points", each), ("  folds won, lost", f"{won}, {lost} of {count}")]
    if comparison.fold_interval is not None:
        rows += [
            (f"  mean, {100 * comparison.confidence:g} % interval *", as_points(comparison.fold_interval)),
            ("  effect size d (mean / deviation)", "none: all folds alike" if size is None else f"{size:+.2f}"),
            ("  p, over folds *", f"{comparison.fold_p_value:.4f} (smallest possible {comparison.smallest_fold_p_value:.4f})"),
        ]
    return rows


def _compare_models(folders: tuple[Path, Path], data: str | None, options: dict[str, Any]) -> Outcome:
    from relsift.bundle import is_model
    from relsift.errors import ConfigError
    from relsift.experiments.comparison import compare_predictions
    from relsift.extractor import RelationExtractor
    from relsift.schema import sentences_of
    from relsift.training.data import scoring_documents
    from relsift.training.run import predict_all

    for folder in folders:
        if not is_model(folder):
            got = "another folder" if folder.is_dir() else "a file" if folder.exists() else "nothing"
            raise ConfigError(f"{folder}: expected a folder of `relsift cv`, its cells/SYSTEM, or a run or model folder, got {got}")
    bundles = [RelationExtractor.from_pretrained(folder).bundle for folder in folders]
    if data is None:
        raise ConfigError("--data: expected annotated data to compare two models on, got none")
    directions = [bundle.candidates.direction for bundle in bundles]
    if directions[0] != directions[1]:
        raise ConfigError(
            f"{folders[1]}: expected a model of the direction of {folders[0]}, {directions[0]}, got {directions[1]}; "
            "their scores count different things"
        )
    documents, name, notes = scoring_documents(data)
    sentences = list(sentences_of(documents))
    predictions, setting = [], [f"data={name}", "entities=gold", f"direction={directions[0]}"]
    for folder, bundle in zip(folders, bundles):
        predicted, report = predict_all(bundle, sentences)
        predictions.append(predicted)
        notes += [f"{folder}: {line}" for line in report.lines()]
        setting.append(f"candidates of {folder}={report.candidates.setting()}")
    for line in notes:
        typer.echo(f"note: {line}", err=True)
    comparison = compare_predictions(documents, *predictions, direction=directions[0], **options)
    return comparison, (str(folders[0]), str(folders[1])), " · ".join(setting), []


def _table(rows: Rows) -> Table:
    from relsift.report.blocks import Column, Table

    starred = any("*" in name for name, _ in rows)
    note = "* A guide only: folds share training data, so their differences are not independent. The interval is widened for it."
    return Table(columns=(Column(align="left"), Column()), rows=tuple(rows), notes=(note,) if starred else ())


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
