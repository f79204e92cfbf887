"""relsift parse"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="File to write, or a folder (no suffix) for one file a part.")],
    parser: Annotated[str | None, typer.Option("--with", metavar="NAME", help="spaCy pipeline, such as en_core_web_sm.")] = None,
    conllu: Annotated[Path | None, typer.Option(help="CoNLL-U file with trees of the same sentences.")] = None,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Add dependency trees to annotated data (native format), from a parser or a CoNLL-U file."""
    from relsift.annotators.conllu_trees import ConlluTrees
    from relsift.annotators.trees import with_trees
    from relsift.corpora.annotated import annotated_data
    from relsift.corpora.convert import convert
    from relsift.corpora.data import resolve
    from relsift.errors import ConfigError
    from relsift.registry import find

    if (parser is None) == (conllu is None):
        raise ConfigError("relsift parse: expected either --with NAME or --conllu FILE, got " + ("neither" if parser is None else "both"))
    parse = partial(with_trees, parser=parser) if conllu is None else ConlluTrees(conllu).annotate
    report = data_options.read_report(on_error)
    source = resolve(data_options.one_data(data, data_option), no_relation or ())
    for file in convert(annotated_data(source, parse), out, find("writer", "native"), report, reads=[] if conllu is None else [conllu]):
        echo(f"written to {file}")
    for line in report.lines():
        echo(f"left out or changed: {line}", err=True)
