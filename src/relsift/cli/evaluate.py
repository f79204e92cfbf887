"""relsift evaluate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, prediction_options, text_options
from relsift.cli.output import echo, echo_json, show


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder, or demo-en, demo-zh, which come with relsift.")],
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    official: Annotated[bool, typer.Option("--official", help="Add the official score of SemEval-2010 Task 8.")] = False,
    reliability: Annotated[
        Path | None,
        typer.Option("--reliability", metavar="FILE.svg", help="Draw how right the probabilities are.", show_default=False),
    ] = None,
    co_occurrence: Annotated[
        bool, typer.Option("--co-occurrence", help="Count unrelated pairs called related, at fixed recalls; scores the data twice.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    device: prediction_options.Device = "cpu",
    precision: prediction_options.Precision = "float32",
    entities: prediction_options.Entities = None,
    match: prediction_options.Match = "strict",
    relations: Annotated[
        str,
        typer.Option(
            "--relations",
            metavar="mentions|concepts",
            help="What is counted: related pairs of mentions, or of the concepts of each document, as for BioRED and DocRED.",
        ),
    ] = "mentions",
    entities_from: text_options.EntitiesFrom = None,
    types: text_options.Types = None,
) -> None:
    """Score a model on annotated data; of data with parts, on the test part."""
    from relsift.errors import require
    from relsift.evaluation.concepts import is_annotated
    from relsift.evaluation.semeval2010 import SETTING, official_scores
    from relsift.extractor import RelationExtractor
    from relsift.files import replaced_file
    from relsift.report.calibration import calibration_line, reliability_svg, reliability_table
    from relsift.report.co_occurrence import co_occurrence_table
    from relsift.report.score_tables import (
        cause_table,
        entity_error_table,
        entity_table,
        error_table,
        interval_line,
        official_table,
        score_table,
    )
    from relsift.training.concept_scoring import scored_concepts
    from relsift.training.data import scoring_data, too_few_of_concepts
    from relsift.training.predicting import predict_all
    from relsift.training.scoring import co_occurrences_of, scored_data, unseen_types

    name_of_data = data_options.one_data(data, data_option)
    on_error_checked = data_options.as_on_error(on_error)
    found_by = text_options.entity_source(entities_from or (), types, "--entities-from")
    specs, renamed = ((), None) if found_by is None else (found_by.specs, found_by.types)
    extractor = RelationExtractor.from_pretrained(
        run, device, entities_from=specs, types=renamed, precision=prediction_options.as_precision(precision)
    )
    whose, matched = prediction_options.whose_entities(extractor.bundle, entities or ("predicted" if specs else None), match)
    require(whose == "gold" or not official, "--official", expected="gold entities, as the task gives; add --entities gold", got=whose)
    expected = "given entities; add --entities gold"
    require((whose == "gold" and not specs) or not co_occurrence, "--co-occurrence", expected=expected, got="found ones")
    require(relations in ("mentions", "concepts"), "--relations", expected="mentions or concepts", got=relations)
    if relations == "concepts":
        require(whose == "gold" and not specs, "--relations concepts", expected=expected, got="found ones")
        alone = not official and not co_occurrence and reliability is None
        got = "one of them"
        require(alone, "--relations concepts", expected="no --official, --co-occurrence or --reliability, which are of mentions", got=got)
    window = extractor.candidates.window
    data_to_score = scoring_data(
        name_of_data, run, no_relation=no_relation or (), on_error=on_error_checked, window=window, concepts=relations == "concepts"
    )
    sentences, name = data_to_score.sentences, data_to_score.name
    predicted, report = predict_all(extractor.bundle, sentences, entities=whose)
    if relations == "concepts":
        result = scored_concepts(extractor.bundle, data_to_score, predicted, report)
    else:
        result = scored_data(extractor.bundle, data_to_score, predicted, report, entities=whose, match=matched)
    warnings = [*data_to_score.warnings, *unseen_types(extractor.bundle, data_to_score, whose)]
    if relations == "concepts":
        gold = sum(row.support for row in result.relations.per_type.values())
        warnings += too_few_of_concepts(name, gold, sum(is_annotated(document) for document in data_to_score.read))
    by_chance = co_occurrences_of(extractor.bundle, data_to_score) if co_occurrence else None
    official_result = official_scores(sentences, predicted) if official else None
    if reliability is not None:
        expected = "a model with probabilities that finds relations; `relsift decide RUN --data DATA` gives it some"
        require(result.calibration is not None, "--reliability", expected=expected, got="none")
        with replaced_file(reliability) as stream:
            stream.write("" if result.calibration is None else reliability_svg(result.calibration, name))
    data_options.tell([*data_to_score.notes, *report.lines()], warnings)
    if as_json:
        value = {"data": name, "threshold": extractor.threshold} | result.to_json() | {"warnings": warnings}
        if official_result is not None:
            value["official"] = official_result.to_json()
        if by_chance is not None:
            value["co_occurrence"] = by_chance.to_json()
        echo_json(value)
        return
    if result.entities is not None:
        show(entity_table(result.entities, name), entity_error_table(result.entities))
        echo(interval_line(result.entity_interval, "the entities' micro scores"), result.entities.setting_line())
    title = f"{name}, relations of concepts" if relations == "concepts" else name
    show(score_table(result.relations, title), error_table(result.relations))
    if result.causes is not None:
        show(cause_table(result.causes))
    if result.calibration is not None:
        show(reliability_table(result.calibration))
        echo(calibration_line(result.calibration))
    if by_chance is not None:
        show(co_occurrence_table(by_chance))
    echo(interval_line(result.interval), result.relations.setting_line())
    if official_result is not None:
        show(official_table(official_result, name))
        echo(SETTING)
