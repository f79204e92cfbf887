"""relsift export"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    form: Annotated[str, typer.Argument(metavar="numpy|onnx", help="numpy: for models of words; onnx: for models on a transformer.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    quantize: Annotated[
        str | None,
        typer.Option(metavar="int8", help="Of onnx: 8 bits for the transformer; smaller and faster, less exact.", show_default=False),
    ] = None,
) -> None:
    """Write a trained model in a form that predicts without torch. Every command that uses a model takes the new folder."""
    from relsift.bundle import Bundle, model_folder
    from relsift.exporting.export import check_form, export
    from relsift.files import check_output
    from relsift.model_file import MODEL_FILE

    check_form(form, quantize)
    folder = model_folder(run)
    check_output(out, [folder], option="--out")
    bundle = Bundle.load(folder)
    if (out / MODEL_FILE).is_file():
        echo(f"note: the model in {out} is replaced, and its decision by that of {folder}", err=True)
    export(bundle, form, out, quantize=quantize)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    echo(f"model written to {out}, {size / 2**20:.1f} MiB")
    if bundle.entity_source is not None:
        echo(f"its entities come from {', '.join(bundle.entity_source.specs)}, which must be installed there too", err=True)
