"""relsift predict"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, prediction_options, ray_options, text_options
from relsift.cli.interruption import resume_hint
from relsift.cli.output import as_documents, echo, note
from relsift.omissions import counted

MOST_CACHE = 1_000_000  # megabytes


def command(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="Run or model folder, or demo-en, demo-zh, which come with relsift.")],
    source: text_options.Source,
    out: Annotated[Path | None, typer.Option(help="File or folder to write; standard output if left out.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Output format, see below; told by the suffix of --out if left out, else native.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted prediction left in --out, if anything.")] = False,
    threshold: Annotated[float | None, typer.Option(help="Score from which on a pair is related; the model's own if left out.")] = None,
    entities: prediction_options.Entities = None,
    entities_from: text_options.EntitiesFrom = None,
    types: text_options.Types = None,
    splitter: text_options.Splitter = None,
    is_text: text_options.IsText = False,
    cache_mb: Annotated[float, typer.Option(min=0, help="Memory for what is remembered of words and distances, in megabytes.")] = 256,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    device: prediction_options.Device = "cpu",
    precision: prediction_options.Precision = "float32",
    ray: ray_options.Ray = False,
    ray_address: ray_options.RayAddress = None,
    workers: Annotated[int | None, typer.Option(help="With --ray: processes with a model each; one a processor if left out.")] = None,
    partition_mb: Annotated[
        float | None, typer.Option(help="With --ray: megabytes of input in a partition; by the size of the input if left out.")
    ] = None,
) -> None:
    """Find relations in raw text, or in annotated data: between the entities that are given, that the model finds, or that --entities-from
    finds. Relations already there are replaced. With --ray, --out is a folder of Parquet files, and bad records go to a table."""
    ray_options.check(ray, ray_address=ray_address, workers=workers, partition_mb=partition_mb)
    from relsift.cli.progress import StageProgress
    from relsift.corpora.convert import writer_for
    from relsift.errors import require
    from relsift.extractor import RelationExtractor
    from relsift.inference import InferenceReport
    from relsift.streaming.output import check_place
    from relsift.streaming.predict import predict_file

    require(threshold is None or math.isfinite(threshold), "--threshold", expected="a finite number", got=threshold)
    require(0 <= cache_mb <= MOST_CACHE, "--cache-mb", expected=f"megabytes, 0 to {MOST_CACHE}", got=cache_mb)
    on_error_checked = data_options.as_on_error(on_error)
    found_by = text_options.entity_source(entities_from or (), types, "--entities-from")
    specs, renamed = ((), None) if found_by is None else (found_by.specs, found_by.types)
    used, _ = prediction_options.convention(entities, "strict")
    if ray:
        from relsift.cli import predict_ray
        from relsift.streaming.partition_work import PartitionSettings

        require(format is None, "--format", expected="none beside --ray, which writes Parquet", got=format)
        given = context.get_parameter_source("on_error")
        is_default = given is None or given.name.startswith("DEFAULT")
        require(is_default or on_error == "skip", "--on-error", expected="skip, or none, beside --ray, where nothing stops", got=on_error)
        require(not is_text, "--text", expected="a file or folder as INPUT beside --ray, and so no --text", got=True)
        settings = PartitionSettings(
            run=str(run), source=source, folder=Path(), device=device, precision=prediction_options.as_precision(precision),
            threshold=threshold, entities=used, entities_from=tuple(specs), types=renamed, splitter=splitter,
            no_relation=tuple(no_relation or ()), cache_mb=cache_mb,
        )  # fmt: skip
        predict_ray.predict(settings, out, address=ray_address, workers=workers, megabytes=partition_mb, resume=resume)
        return
    writer = format or writer_for(out, None).name
    check_place(out, writer_for(out, format))
    extractor = RelationExtractor.from_pretrained(
        run, device, entities_from=specs, types=renamed, precision=prediction_options.as_precision(precision)
    )
    extractor.bundle.limit_cache(cache_mb)
    report = InferenceReport()
    if out is None:
        as_documents()

    with resume_hint(out, lambda: report.sentences), StageProgress("predicting", quiet=out is None) as progress, _collecting_new_objects():
        progress("sentences", 0, None)
        seconds, notes = predict_file(
            extractor, source, out, writer=writer, threshold=threshold, entities=used, resume=resume,
            no_relation=no_relation or (), on_error=on_error_checked, splitter=splitter, is_text=is_text,
            report=report, on_sentences=lambda done: progress("sentences", done, None),
        )  # fmt: skip
    counts, speed = report.candidates, 1 / max(seconds, 1e-9)
    echo(
        f"{counted(report.sentences, 'sentences')}, {counted(counts.kept, 'pairs scored')}, {sum(counts.dropped.values())} dropped, "
        f"{counted(report.relations, 'relations')} found, "
        f"in {seconds:.1f} s ({report.sentences * speed:.0f} sentences/s, {counts.kept * speed:.0f} pairs/s)",
        err=True,
    )
    echo(f"busy: {report.shares()}", err=True)
    for line in [*notes, *report.lines()]:
        note(line)


@contextmanager
def _collecting_new_objects() -> Iterator[None]:
    """The garbage collector leaves alone what lives already: the model and the libraries, which last as long as the prediction."""
    gc.freeze()  # without a collection before it, which would look at all of torch for garbage that hardly exists
    try:
        yield
    finally:
        gc.unfreeze()
