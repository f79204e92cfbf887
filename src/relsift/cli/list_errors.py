"""relsift errors"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo, note, show


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    data: Annotated[str, typer.Option(help="Annotated data; the test part of a corpus that has one.")],
    limit: Annotated[int, typer.Option(help="Sentences to list; 0 lists all.", min=0)] = 20,
    html: Annotated[Path | None, typer.Option(help="Write all sentences with gold and found relations as one HTML page.")] = None,
) -> None:
    """Split a model's errors by kind and list them in their sentences."""
    from relsift.corpora.data import resolve
    from relsift.evaluation.wrong_decisions import wrong_decisions
    from relsift.extractor import RelationExtractor
    from relsift.files import check_output, replaced_file
    from relsift.report.score_tables import error_table
    from relsift.report.sentence_page import write_comparison
    from relsift.training.data import scoring_data
    from relsift.training.run import evaluate_predicted, predict_all

    if html is not None:
        check_output(html, resolve(data).inputs, option="--html")
    bundle = RelationExtractor.from_pretrained(run).bundle
    sentences, name, notes = scoring_data(data)
    predicted, report = predict_all(bundle, sentences)
    scores = evaluate_predicted(bundle, sentences, predicted, report)
    for line in [*notes, *report.lines()]:
        note(line)
    show(error_table(scores))
    echo(scores.setting_line())
    num_listed = 0
    for sentence, prediction in zip(sentences, predicted):
        decisions = wrong_decisions(sentence, prediction, bundle.candidates.direction)
        if not decisions or (limit and num_listed >= limit):
            continue
        num_listed += 1
        echo("", f"{sentence.id}: {' '.join(sentence.tokens)}", *(f"  {decision}" for decision in decisions))
    if html is not None:
        annotated_pairs = [(gold, prediction) for gold, prediction in zip(sentences, predicted) if gold.relations is not None]
        with replaced_file(html) as stream:
            write_comparison(
                [gold for gold, _ in annotated_pairs], [prediction for _, prediction in annotated_pairs], stream,
                title=f"{name}: gold and found relations", direction=bundle.candidates.direction, summary=scores.summary(),
            )  # fmt: skip
        echo("", f"page written to {html}")
