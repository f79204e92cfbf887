"""relsift errors"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, prediction_options
from relsift.cli.output import echo, show


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder, or demo-en, demo-zh, which come with relsift.")],
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    limit: Annotated[int, typer.Option(help="Sentences to list; 0 lists all.", min=0)] = 20,
    html: Annotated[Path | None, typer.Option(help="Write all sentences with gold and found relations as one HTML page.")] = None,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    device: prediction_options.Device = "cpu",
    entities: prediction_options.Entities = None,
    match: prediction_options.Match = "strict",
) -> None:
    """Split a model's errors by kind and list them in their sentences."""
    from relsift.corpora.data import resolve
    from relsift.evaluation.wrong_decisions import wrong_decisions, wrong_entities_in_words
    from relsift.extractor import RelationExtractor
    from relsift.files import check_output, replaced_file
    from relsift.report.score_tables import cause_table, entity_error_table, error_table
    from relsift.report.sentence_page import write_comparison
    from relsift.training.data import scoring_data
    from relsift.training.predicting import predict_all
    from relsift.training.scoring import scored_data, unseen_types

    name_of_data, on_error_checked = data_options.one_data(data, data_option), data_options.as_on_error(on_error)
    if html is not None:
        check_output(html, resolve(name_of_data).inputs, option="--html")
    bundle = RelationExtractor.from_pretrained(run, device).bundle
    whose, matched = prediction_options.whose_entities(bundle, entities, match)
    window = bundle.candidates.window
    data_to_score = scoring_data(name_of_data, run, no_relation=no_relation or (), on_error=on_error_checked, window=window)
    sentences, name = data_to_score.sentences, data_to_score.name
    predicted, report = predict_all(bundle, sentences, entities=whose)
    result = scored_data(bundle, data_to_score, predicted, report, entities=whose, match=matched)
    warnings = [*data_to_score.warnings, *unseen_types(bundle, data_to_score, whose)]
    data_options.tell([*data_to_score.notes, *report.lines()], warnings)
    show(error_table(result.relations))
    if result.entities is not None and result.causes is not None:
        show(cause_table(result.causes), entity_error_table(result.entities))
    echo(result.relations.setting_line())
    num_listed = 0
    for sentence, prediction in zip(sentences, predicted):
        decisions = list(map(str, wrong_decisions(sentence, prediction, bundle.candidates.direction, whose, matched)))
        if whose == "predicted":
            decisions += wrong_entities_in_words(sentence, prediction, matched)
        if not decisions or (limit and num_listed >= limit):
            continue
        num_listed += 1
        echo("", f"{sentence.id}: {' '.join(sentence.text.split())}", *(f"  {decision}" for decision in decisions))
    if html is not None:
        annotated_pairs = [(gold, prediction) for gold, prediction in zip(sentences, predicted) if gold.relations is not None]
        with replaced_file(html) as stream:
            write_comparison(
                [gold for gold, _ in annotated_pairs], [prediction for _, prediction in annotated_pairs], stream,
                title=f"{name}: gold and found relations", direction=bundle.candidates.direction, summary=result.relations.summary(),
                entities=whose, match=matched,
            )  # fmt: skip
        echo("", f"page written to {html}")
