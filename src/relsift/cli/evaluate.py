"""relsift evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo, echo_json, note, show


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    data: Annotated[str, typer.Option(help="Annotated data; the test part of a corpus that has one.")],
    official: Annotated[bool, typer.Option("--official", help="Add the official score of SemEval-2010 Task 8.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score a model on annotated data with gold entities."""
    from relsift.evaluation.semeval2010 import SETTING, official_scores
    from relsift.extractor import RelationExtractor
    from relsift.report.score_tables import error_table, official_table, score_table
    from relsift.training.data import scoring_data
    from relsift.training.run import evaluate_predicted, predict_all

    extractor = RelationExtractor.from_pretrained(run)
    sentences, name, notes = scoring_data(data)
    predicted, report = predict_all(extractor.bundle, sentences)
    scores = evaluate_predicted(extractor.bundle, sentences, predicted, report)
    official_result = official_scores(sentences, predicted) if official else None
    for line in [*notes, *report.lines()]:
        note(line)
    if as_json:
        result = {"data": name, "threshold": extractor.threshold} | scores.to_json()
        if official_result is not None:
            result["official"] = official_result.to_json()
        echo_json(result)
        return
    show(score_table(scores, name))
    show(error_table(scores))
    echo(scores.setting_line())
    if official_result is not None:
        show(official_table(official_result, name))
        echo(SETTING)
