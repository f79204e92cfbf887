"""relsift corpora list | show | prepare"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo, echo_table
from relsift.omissions import counted

app = typer.Typer(help="Named public corpora.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_corpora() -> None:
    """List the corpora that have a name."""
    from relsift.corpora.corpus import Corpus
    from relsift.environment import prepared_corpora
    from relsift.registry import find, table
    from relsift.report.blocks import Table

    prepared = prepared_corpora()
    rows = []
    for name in table("corpus"):
        corpus: Corpus = find("corpus", name)
        state = "shipped" if corpus.shipped is not None else "prepared" if name in prepared else "not prepared"
        rows.append((name, corpus.language, state, corpus.title, corpus.licence))
    echo_table(Table.of(("name", "language", "state", "title", "licence as stated"), rows, align="left"))


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a corpus, see `relsift corpora list`.")]) -> None:
    """Show where a corpus comes from, how it is split and what to know about it."""
    from relsift.corpora.corpus import Corpus
    from relsift.home import corpus_folder
    from relsift.registry import find
    from relsift.report.blocks import Table

    corpus: Corpus = find("corpus", name)
    folder = corpus.shipped or corpus_folder(name)
    rows = [
        ("name", corpus.name),
        ("title", corpus.title),
        ("language", corpus.language),
        ("domain", corpus.domain),
        ("licence", corpus.licence),
        ("source", corpus.source),
        ("homepage", corpus.homepage or "none"),
        ("download", corpus.download or ("not needed" if corpus.shipped is not None else "none: prepare it with --from DIR")),
        ("citation", corpus.citation),
        ("direction", corpus.direction),
        ("folder", f"{folder}" if folder.is_dir() else f"{folder} (not prepared)"),
        *(("raw file", f"{raw.path}  sha256 {raw.sha256}") for raw in corpus.raw),
        *(("note", note) for note in corpus.notes),
    ]
    echo_table(Table.list_of(rows))


@app.command()
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a corpus, see `relsift corpora list`.")],
    source: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Folder or zip archive of the raw files; downloaded if left out.")
    ] = None,
) -> None:
    """Check a corpus's raw files and turn them into relsift's own format, once."""
    from relsift.cli.progress import StageProgress
    from relsift.corpora.description import read_description
    from relsift.corpora.prepare import prepare as prepare_corpus
    from relsift.home import home
    from relsift.registry import find

    with StageProgress(f"preparing {name}") as progress:
        folder = prepare_corpus(find("corpus", name), source=source, home=home(), progress=progress)
    description = read_description(name, folder)
    for split, counts in description["splits"].items():
        echo(f"{split}: {counts['sentences']} sentences, {counts['entities']} entities, {counts['relations']} relations")
    for reason, count in description["dropped"].items():
        echo(f"left out or changed: {counted(count, reason)}", err=True)
    echo(f"{name} is ready in {folder}")
