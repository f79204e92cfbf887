"""relsift vectors distil"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo

app = typer.Typer(help="Files of word vectors.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Files of word vectors."""


@app.command()
def distil(
    encoder: Annotated[str, typer.Argument(metavar="ENCODER", help="Folder or hub id of a Hugging Face transformer.")],
    *,
    data: Annotated[str, typer.Option("--data", metavar="DATA", help=f"Whose words: {data_options.WHAT}; of a corpus, the training part.")],
    out: Annotated[Path, typer.Option(help="File to write, for --set encoding.vectors=FILE.")],
    size: Annotated[int, typer.Option(help="Numbers of a vector.", min=1)] = 100,
    layer: Annotated[
        int | None, typer.Option(help="Take the states of this layer in the data, not the rows of the encoder's table.", min=1)
    ] = None,
    words: Annotated[Path | None, typer.Option(help="File of further words, one a line.")] = None,
    on_error: data_options.OnErrorOption = "stop",
) -> None:
    """Word vectors from a transformer, for models that do without one."""
    from relsift.corpora.corpus import TRAIN
    from relsift.corpora.data import resolve
    from relsift.errors import ConfigError, DataError
    from relsift.files import check_output
    from relsift.schema import sentences_of
    from relsift.training.distil_vectors import distil, write_vectors

    source = resolve(data)
    check_output(out, [*source.inputs, *([words] if words else [])], option="--out")
    if out.exists():
        raise ConfigError(f"--out {out}: expected a new file, got one that exists; name another, or delete it")
    if out.suffix.lower() in (".gz", ".npy"):  # which training would read as such
        raise ConfigError(f"--out {out}: expected the name of a text file, such as vectors.txt, got one that ends in {out.suffix}")
    report = data_options.read_report(on_error)
    sentences = list(sentences_of(source.documents(TRAIN if TRAIN in source.splits else None, report)))
    try:
        further = [line.rstrip("\r") for line in words.read_text(encoding="utf-8-sig").split("\n")] if words else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--words {words}: expected a text file in UTF-8, one word a line, got {error}") from error
    table = distil(encoder, sentences, size=size, layer=layer, further=filter(None, further))
    write_vectors(table, out)
    data_options.tell(report.lines())
    if table.left_out:
        echo(f"left out: {table.left_out} words with a blank in them", err=True)
    if table.unknown:
        echo(f"{table.unknown} words have no piece in the encoder's tokenizer: they share the vector of its unknown piece", err=True)
    echo(f"{len(table.words)} words, {size} numbers each, {100 * table.kept:.1f} % of the variance; written to {out}")
    echo(f"use them with --set encoding.vectors={out} --set model.word_size={size}")
