"""relsift annotate"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, text_options
from relsift.cli.interruption import resume_hint
from relsift.cli.output import as_documents, echo, echo_json, echo_table, note
from relsift.omissions import counted


def command(
    source: text_options.Source,
    annotators: Annotated[
        list[str],
        typer.Option("--with", metavar="SPEC[,SPEC]", help="What finds entities, such as spacy:en_core_web_sm; the first one wins."),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if left out.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted run left in --out, if anything.")] = False,
    types: text_options.Types = None,
    splitter: text_options.Splitter = None,
    is_text: text_options.IsText = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
) -> None:
    """Find sentences, tokens and entities in raw text, and write them in the native format, without relations."""
    from relsift.annotators.entities import EntitySource, entity_annotator
    from relsift.cli.progress import StageProgress
    from relsift.errors import ConfigError
    from relsift.report.blocks import Table
    from relsift.streaming.annotate import AnnotationReport, annotate_file
    from relsift.streaming.inputs import open_input

    if as_json and out is None:
        raise ConfigError("--json: expected --out for the sentences, got none: both would go to standard output")
    specs = [spec.strip() for value in annotators for spec in value.split(",")]
    entities_from = text_options.entity_source(specs, types, "--with")
    assert isinstance(entities_from, EntitySource)
    annotator = entity_annotator(entities_from)
    left_out, report = data_options.read_report(on_error), AnnotationReport()
    given = open_input(source, splitter=splitter, is_text=is_text)
    if out is None:
        as_documents()
    with resume_hint(out, lambda: report.sentences), StageProgress("annotating", quiet=out is None) as progress:
        progress("sentences", 0, None)
        notes = annotate_file(
            annotator, given, out, left_out=left_out, report=report, source=entities_from, resume=resume,
            on_sentences=lambda done: progress("sentences", done, None),
        )  # fmt: skip
    num_entities = report.entities.total()
    if as_json:
        dropped = dict(left_out.dropped + annotator.report.dropped)
        echo_json({
            "annotators": annotator.spec, "splitter": given.splitter.spec, "sentences": report.sentences, "entities": num_entities,
            "types": dict(report.entities.most_common()), "sentences_with_given_entities": report.given, "dropped": dropped,
        })  # fmt: skip
    elif out is not None:
        rows = [["sentences", str(report.sentences)], ["entities", str(num_entities)]]
        echo_table(Table.of(["", "number"], rows + [[f"  {name}", str(count)] for name, count in report.entities.most_common()]))
    else:
        echo(f"{counted(report.sentences, 'sentences')}, {counted(num_entities, 'entities')}", err=True)
    for line in [*notes, *left_out.lines(), *annotator.report.lines()]:
        note(line)
