"""relsift suggest"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, prediction_options, text_options
from relsift.cli.output import echo, echo_json, note


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder, or demo-en, demo-zh, which come with relsift.")],
    source: text_options.Source,
    count: Annotated[int, typer.Option(help="Sentences to suggest.")],
    out: Annotated[Path, typer.Option(help="File or folder to write, for the annotation tool.")],
    to: Annotated[str | None, typer.Option("--to", help="Output format, see below; told by the suffix of --out if left out.")] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="uncertainty|positives|random",
            help="Sentences of which the model is least sure, that may hold the most relations, or any.",
        ),
    ] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Of --by random.")] = 0,
    with_predictions: Annotated[
        bool, typer.Option("--with-predictions", help="Write what the model finds too, to be corrected.")
    ] = False,
    include_annotated: Annotated[
        bool, typer.Option("--include-annotated", help="Do not leave out sentences whose relations are annotated already.")
    ] = False,
    entities: prediction_options.Entities = None,
    entities_from: text_options.EntitiesFrom = None,
    types: text_options.Types = None,
    splitter: text_options.Splitter = None,
    is_text: text_options.IsText = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    device: prediction_options.Device = "cpu",
    precision: prediction_options.Precision = "float32",
    as_json: Annotated[bool, typer.Option("--json", help="Print the suggested sentences and the counts as JSON.")] = False,
) -> None:
    """Choose the sentences to annotate next: those of which a model is least sure, none like another."""
    from relsift.cli.progress import StageProgress
    from relsift.corpora.convert import writer_for
    from relsift.errors import require
    from relsift.extractor import RelationExtractor
    from relsift.suggestions import MOST, WAYS, SuggestionReport, suggest_file

    way = next((name for name in WAYS if name == by), None)
    require(way is not None, "--by", expected=", ".join(WAYS), got=by)
    require(1 <= count <= MOST, "--count", expected=f"a number of sentences, 1 to {MOST}", got=count)
    writer = writer_for(out, to, "--to")
    found_by = text_options.entity_source(entities_from or (), types, "--entities-from")
    specs, renamed = ((), None) if found_by is None else (found_by.specs, found_by.types)
    checked = prediction_options.as_precision(precision)
    extractor = RelationExtractor.from_pretrained(run, device, entities_from=specs, types=renamed, precision=checked)
    expected = "a model that reads single sentences (candidates.window=1)"
    window = extractor.candidates.window
    require(window == 1, f"suggest {run}", expected=expected, got=f"one with a window of {window} sentences")
    used, _ = prediction_options.convention(entities, "strict")
    report = SuggestionReport()
    with StageProgress("reading") as progress:
        progress("sentences", 0, None)
        found, notes = suggest_file(
            extractor, source, out, count, writer=writer, run=run, by=way or "uncertainty", seed=seed, entities=used,
            include_annotated=include_annotated, with_predictions=with_predictions, splitter=splitter, is_text=is_text,
            no_relation=no_relation or (), on_error=data_options.as_on_error(on_error), report=report,
            on_sentences=lambda done: progress("sentences", done, None),
        )  # fmt: skip
    for line in notes:
        note(line)
    if as_json:
        echo_json({"by": by, "out": str(out), "sentences": [one.to_json() for one in found], "counts": report.to_json()})
        return
    worth = "" if by == "random" else f", worth {found[0].worth:.2f} to {found[-1].worth:.2f}"
    echo(f"{len(found)} of {report.read} sentences suggested by {by}{worth}; written to {out}")
