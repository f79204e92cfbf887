"""relsift compare"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relsift.cli import data_options, prediction_options
from relsift.cli.output import echo, echo_json, note, show

if TYPE_CHECKING:
    from relsift.bundle import Bundle
    from relsift.candidates import Direction
    from relsift.evaluation.scores import Entities, Match
    from relsift.evaluation.significance import Comparison
    from relsift.experiments.comparison import SystemComparison
    from relsift.experiments.result import CellResult
    from relsift.readers.base import OnError
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
    samples: Annotated[int, typer.Option(help="Random samples of each test.")] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    entities: prediction_options.Entities = None,
    match: prediction_options.Match = "strict",
) -> None:
    """Is one system better than another, or is it chance? Paired tests of micro F1."""
    from dataclasses import asdict

    from relsift.errors import ConfigError, require
    from relsift.evaluation.significance import MOST_SAMPLES
    from relsift.experiments.cell_files import cells_of_one_system
    from relsift.experiments.comparison import as_points, as_unit, verdict

    require(1 <= samples <= MOST_SAMPLES, "--samples", expected=f"1 to {MOST_SAMPLES}", got=samples)
    options: dict[str, Any] = {"units": as_unit(units), "samples": samples}
    cells = cells_of_one_system(first), cells_of_one_system(second)
    if any(cells):
        if not all(cells):
            odd, other = (first, second) if cells[1] else (second, first)
            raise ConfigError(f"{odd}: expected cells of `relsift cv`, as in {other}, got none; compare two of a kind")
        if data is not None:
            raise ConfigError(f"--data: expected none beside folders of `relsift cv`, which hold their scores, got {data}")
        expected = "none beside folders of `relsift cv`, which hold their scores"
        require(not no_relation, "--no-relation", expected=expected, got=no_relation)
        require(entities is None and match == "strict", "--entities, --match", expected=expected, got=f"{entities}, {match}")
        comparison, names, setting, further = _compare_cells((first, second), cells, options)
    else:
        comparison, names, setting, further = _compare_models(
            (first, second), data, options, no_relation=no_relation or (), on_error=data_options.as_on_error(on_error),
            entities=entities, match=match,
        )  # fmt: skip
    sentence = verdict(comparison, *names)
    if as_json:
        value = {"names": names, "setting": setting, "verdict": sentence} | asdict(comparison)
        echo_json(value)
        return
    unit = f"{comparison.units} {units}s" + (f" × {comparison.runs} seeds" if comparison.runs > 1 else "")
    rows = [
        *_score_rows(comparison, names),
        ("difference, points", f"{100 * comparison.difference:+.1f}"),
        (f"  its {100 * comparison.confidence:g} % interval", as_points(comparison.interval)),
        (f"  p, over {unit}", f"{comparison.p_value:.4f}"),
        *further,
    ]
    show(_table(rows))
    echo(sentence, setting)


def _score_rows(comparison: Comparison, names: tuple[str, str]) -> Rows:
    """Of cells both averages: counts of all cells together, which the test is about, and the mean that the reports of `cv` print."""
    from relsift.experiments.comparison import SystemComparison

    pooled = list(zip(names, (comparison.first, comparison.second)))
    if not isinstance(comparison, SystemComparison):
        return [(f"micro F1 of {name}", f"{100 * score:.1f}") for name, score in pooled]
    means = zip(names, (comparison.first_mean, comparison.second_mean))
    rows = [(f"micro F1 of {name}, all cells together", f"{100 * score:.1f}") for name, score in pooled]
    return rows + [(f"micro F1 of {name}, mean over all cells", f"{100 * score:.1f}") for name, score in means]


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
            note(f"{title} chose epoch and threshold on its test parts, which makes its score too high")
        if any(cell.order_leak for cell in side):
            note(f"{title} chose its candidates by the gold annotation (order leak), which makes its score too high")
    if comparison.unpaired:
        note(f"{comparison.unpaired} cells left out, whose fold and seed are not there on both sides")
    if len(comparison.folds) < plan.folds:
        note(f"{len(comparison.folds)} of {plan.folds} folds only")
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


def _compare_models(
    folders: tuple[Path, Path],
    data: str | None,
    options: dict[str, Any],
    *,
    no_relation: Sequence[str],
    on_error: OnError,
    entities: str | None,
    match: str,
) -> Outcome:
    from relsift.bundle import is_model
    from relsift.errors import ConfigError
    from relsift.experiments.comparison import compare_predictions
    from relsift.extractor import RelationExtractor
    from relsift.training.data import scoring_data, seen_in_training
    from relsift.training.predicting import predict_all

    for folder in folders:
        if not is_model(folder):
            got = "another folder" if folder.is_dir() else "a file" if folder.exists() else "nothing"
            raise ConfigError(f"{folder}: expected a folder of `relsift cv`, its cells/SYSTEM, or a run or model folder, got {got}")
    bundles = [RelationExtractor.from_pretrained(folder).bundle for folder in folders]
    if data is None:
        raise ConfigError("--data: expected annotated data to compare two models on, got none")
    direction, whose, matched = _shared_setting(folders, bundles, entities, match)
    source = scoring_data(data, no_relation=no_relation, on_error=on_error, window=bundles[0].candidates.window)
    sentences, notes = source.sentences, source.notes
    predictions, setting = [], [f"data={source.name}", f"entities={whose}", f"match={matched}", f"direction={direction}"]
    if lost := source.lost_relations.total():
        setting.append(f"lost in reading, counted as missed={lost} relations")
    for folder, bundle in zip(folders, bundles):
        predicted, report = predict_all(bundle, sentences, entities=whose)
        predictions.append(predicted)
        notes += [f"{folder}: {line}" for line in report.lines()]
        setting.append(f"candidates of {folder}={report.candidates.setting()}")
    seen = [f"{folder}: {line}" for folder in folders for line in seen_in_training(source.name, sentences, folder)]
    data_options.tell(notes, [*seen, *source.warnings])
    losses = [lost_here.total() for lost_here in source.losses]
    options |= {"direction": direction, "entities": whose, "match": matched, "losses": losses}
    comparison = compare_predictions(source.documents, *predictions, **options)
    return comparison, (str(folders[0]), str(folders[1])), " · ".join(setting), []


def _shared_setting(
    folders: tuple[Path, Path], bundles: Sequence[Bundle], entities: str | None, match: str
) -> tuple[Direction, Entities, Match]:
    """Raises ConfigError if the scores of the two models would count different things."""
    from relsift.errors import ConfigError

    first, second = (bundle.candidates.direction for bundle in bundles)
    if first != second:
        raise ConfigError(
            f"{folders[1]}: expected a model of the direction of {folders[0]}, {first}, got {second}; their scores count different things"
        )
    one, other_window = (bundle.candidates.window for bundle in bundles)
    if one != other_window:
        raise ConfigError(
            f"{folders[1]}: expected a model of the window of {folders[0]}, {one}, got {other_window}: they read other passages; "
            "score each with `relsift evaluate`"
        )
    (whose, matched), (other, _) = (prediction_options.whose_entities(bundle, entities, match) for bundle in bundles)
    if other != whose:
        finds, finds_none = folders if whose == "predicted" else folders[::-1]
        raise ConfigError(
            f"--entities: expected gold for two models of which {finds} finds entities and {finds_none} does not, got nothing; "
            "add --entities gold"
        )
    return first, whose, matched


def _table(rows: Rows) -> Table:
    from relsift.report.blocks import Column, Table

    starred = any("*" in name for name, _ in rows)
    note = "* A guide only: folds share training data, so their differences are not independent. The interval is widened for it."
    return Table(columns=(Column(align="left"), Column()), rows=tuple(rows), notes=(note,) if starred else ())


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
