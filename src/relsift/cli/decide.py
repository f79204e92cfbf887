"""relsift decide"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli import data_options, prediction_options
from relsift.cli.output import echo, echo_json, show

if TYPE_CHECKING:
    from relsift.decisions.decision import Decision


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder, or demo-en, demo-zh, which come with relsift.")],
    data: Annotated[
        str | None, typer.Option("--data", help=f"Tune on annotated data: {data_options.WHAT}; of data with parts, the development part.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set one rule and do not tune it: mode, threshold, thresholds.RELATION, constraints, calibration, symmetric, "
            "inverse.RELATION, at_most.RELATION.head, at_most.RELATION.tail. May be given several times.",
            show_default=False,
        ),
    ] = None,
    aim: Annotated[
        str | None, typer.Option(metavar="f1|f0.5|f2|precision>=X", help="What to tune for; f1 if left out.", show_default=False)
    ] = None,
    per_relation: Annotated[bool, typer.Option("--per-relation", help="Tune one threshold a relation, drawn to the common one.")] = False,
    learn_from: Annotated[
        str | None,
        typer.Option(
            "--learn-from",
            metavar="TRAINING",
            help="Learn from training data between which entity types each relation stands, and turn constraints on.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the new decision, and store nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print decisions and scores as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    device: prediction_options.Device = "cpu",
) -> None:
    """Show how a model turns scores into relations, or change it without training: thresholds, rules, probabilities."""
    from relsift.bundle import Bundle
    from relsift.corpora.corpus import DEV, TRAIN
    from relsift.corpora.data import resolve
    from relsift.decisions.aims import F1, Aim
    from relsift.decisions.description import threshold_table, words
    from relsift.device import CPU, checked_device
    from relsift.errors import require
    from relsift.model_card import keep_card
    from relsift.model_extras import CARD_FILE, is_written_by_relsift
    from relsift.training.data import scoring_data
    from relsift.training.deciding import change, folder_to_decide, held, store

    place = None if device == CPU else checked_device(device, "device")
    aimed = F1 if aim is None else Aim.of(aim)
    for option, is_given in (("--aim", aim is not None), ("--per-relation", per_relation)):
        require(data is not None or not is_given, option, expected="--data DATA beside it, to tune on", got="none")
    changes = data is not None or bool(settings) or learn_from is not None
    folder = folder_to_decide(run, changes=changes and not dry_run)
    with held(folder) if changes and not dry_run else nullcontext():
        bundle = Bundle.load(folder)
        bundle.move(device, place)
        labels = bundle.encoding.labels
        if not changes:
            if as_json:
                echo_json({"decision": bundle.decision.to_json()})
                return
            _show_one(bundle.decision, labels)
            return
        window, on_error_checked = bundle.candidates.window, data_options.as_on_error(on_error)
        read = partial(scoring_data, no_relation=no_relation or (), on_error=on_error_checked, window=window)
        training = None if learn_from is None else read(learn_from, part=TRAIN)
        to_tune = None if data is None else read(data, run, part=DEV)
        result = change(
            bundle, settings or [], training=None if training is None else training.sentences, data=to_tune, aim=aimed,
            checksums=None if data is None else {resolve(data).name: resolve(data).sha256()}, per_relation=per_relation,
        )  # fmt: skip
        if not dry_run and result.new != bundle.decision:
            store(bundle, result.new, folder)
            if is_written_by_relsift(folder / CARD_FILE):
                keep_card(replace(bundle, decision=result.new), folder)
    warnings = [*([] if to_tune is None else to_tune.warnings), *result.warnings]
    data_options.tell([] if to_tune is None else to_tune.notes, warnings)
    if as_json:
        echo_json(result.to_json() | {"warnings": warnings, "stored": not dry_run})
        return
    if result.scores is None or to_tune is None:
        _show_one(result.new, labels)
    else:
        echo(*words(result.new))
        old, new = result.scores
        show(threshold_table(result.old, labels, old.per_type, f"old decision on {to_tune.name}"))
        show(threshold_table(result.new, labels, new.per_type, f"new decision on {to_tune.name}"))
        echo(new.setting_line())
    echo("nothing stored (--dry-run)" if dry_run else f"decision stored in {folder}")


def _show_one(decision: Decision, labels: tuple[str, ...]) -> None:
    from relsift.decisions.description import threshold_table, words

    echo(*words(decision))
    tuned = decision.tuned_on
    title = "thresholds" if tuned is None else f"thresholds, and scores on {tuned.data}"
    show(threshold_table(decision, labels, {} if tuned is None else tuned.relations, title))
