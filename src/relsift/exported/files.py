"""An exported model in its folder.

model.json          `form`, and the description of the model as `options`
model.safetensors   the weights, without those of a transformer
transformer.onnx    the transformer; only of the form `onnx`
The other files are those of any model folder (see `relsift.bundle`).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from relsift.encoding.encoding import Encoding
from relsift.errors import CheckpointError, OutputError
from relsift.exported.model import ExportedModel
from relsift.exported.spec import FORMS, ModelSpec
from relsift.exported.transformer import MARKER_INPUTS, TEXT_INPUTS, Transformer
from relsift.exported.weights import FloatArray, load_tables
from relsift.files import file_sha256
from relsift.json_schema import Strict, conform
from relsift.locks import output_errors

TRANSFORMER_FILE = "transformer.onnx"


class ExportedFile(Strict):
    """model.json of an exported model."""

    format: int
    form: str
    model: str  # the architecture that was trained
    options: dict[str, Any]
    encoding: dict[str, Any]
    candidates: dict[str, Any]
    weights_sha256: str
    about: dict[str, Any]
    encoder_sha256: str | None = None
    transformer_sha256: str | None = None
    annotators_sha256: str | None = None


def is_exported(description: Any) -> bool:
    """Whether a `model.json` is that of an exported model."""
    return isinstance(description, dict) and "form" in description


def check_form(form: str, file: Path) -> None:
    """Raises CheckpointError for a form that this version does not know."""
    if form not in FORMS:
        raise CheckpointError(f"{file}: form: expected {' or '.join(FORMS)}, got {form[:80]!r}; use the relsift version that wrote it")


def save_parts(model: ExportedModel, folder: Path, weights_file: Path) -> dict[str, Any]:
    """Write weights and transformer; returns what `model.json` says of them."""
    with output_errors(weights_file):
        weights_file.touch()
        mode = weights_file.stat().st_mode  # safetensors would leave a file that only its owner can read
        try:
            save_file({name: np.ascontiguousarray(table) for name, table in model.tables.items()}, weights_file)
        except SafetensorError as error:  # of a full disk: safetensors passes on the words of the system alone
            weights_file.unlink()
            raise OutputError(f"{weights_file}: expected to write on, got {error}") from error
        weights_file.chmod(mode)
        if model.transformer is not None:
            shutil.copyfile(model.transformer.file, folder / TRANSFORMER_FILE)
    description: dict[str, Any] = {"form": model.form, "options": model.spec.model_dump()}
    if model.transformer is not None:
        description["transformer_sha256"] = file_sha256(folder / TRANSFORMER_FILE)
    return description


def load_parts(description: dict[str, Any], encoding: Encoding, folder: Path, weights_file: Path) -> ExportedModel:
    """The model of a folder. Raises CheckpointError naming the file that is missing, altered or broken."""
    file = folder / "model.json"
    check_form(description["form"], file)
    spec = conform(ModelSpec, description["options"], f"{file}: options")
    transformer = None
    if description["form"] == "onnx":
        place = folder / TRANSFORMER_FILE
        if not place.is_file():
            raise CheckpointError(f"{folder}: expected {TRANSFORMER_FILE}, got none; copy the whole folder again")
        if (found := file_sha256(place)) != description["transformer_sha256"]:
            expected = f"expected sha256 {str(description['transformer_sha256'])[:64]}, got {found}"
            raise CheckpointError(f"{place}: {expected}; it was altered or belongs to another model: copy the folder again")
        transformer = Transformer(place, TEXT_INPUTS if spec.markers is None else MARKER_INPUTS)
    tables: dict[str, FloatArray] = load_tables(weights_file)
    return ExportedModel(description["form"], spec, tables, encoding, transformer, str(weights_file))
