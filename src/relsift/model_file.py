"""`model.json` of a model folder: its schemas, and what is wrong with a folder that is none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from relsift.errors import CheckpointError
from relsift.exported.files import ExportedFile, check_form, is_exported
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json
from relsift.shipped import shipped_models

FORMAT = 2  # raised when model.json changes in a way that older versions cannot read
WEIGHTS_FILE, MODEL_FILE = "model.safetensors", "model.json"
ENSEMBLE = "ensemble"  # key of model.json, and the name in place of an architecture's
MOST_MEMBERS = 1000


class _ModelFile(Strict):
    """model.json; the parts with a class of their own are checked by it."""

    format: int
    model: str
    options: dict[str, Any]
    encoding: dict[str, Any]
    candidates: dict[str, Any]
    weights_sha256: str
    about: dict[str, Any]
    encoder_sha256: str | None = None  # of the files of `encoder/`; None: there are none
    annotators_sha256: str | None = None  # of `annotators.json`; None: there is none, or an older version wrote the folder


class _EnsembleFile(Strict):
    """model.json of an ensemble."""

    format: int
    ensemble: Annotated[list[str], Field(min_length=1, max_length=MOST_MEMBERS)]  # checksum of each member (see `model_checksum`)
    about: dict[str, Any]
    annotators_sha256: str | None = None


class _ModelFile1(_ModelFile):
    """model.json of version 0.1."""

    threshold: float


def read_description(folder: Path) -> dict[str, Any]:
    """The content of `model.json`. Raises CheckpointError for a folder without it or its weights, or of another version."""
    if not folder.is_dir():
        known = ", ".join(shipped_models())
        nothing = f"nothing; train one first, or name one that comes with relsift ({known})"
        got = "a file; on the command line the model comes first, then the data" if folder.exists() else nothing
        raise CheckpointError(f"{folder}: expected a model folder, got {got}")
    missing = [name for name in (MODEL_FILE, WEIGHTS_FILE) if not (folder / name).is_file()]
    description = None if MODEL_FILE in missing else read_json(folder / MODEL_FILE)
    is_ensemble = isinstance(description, dict) and ENSEMBLE in description
    if missing and not is_ensemble:
        raise CheckpointError(
            f"{folder}: expected {MODEL_FILE} and {WEIGHTS_FILE}, {' and '.join(missing)} missing; copy the whole folder again"
        )
    version = description.get("format") if isinstance(description, dict) else description
    if version not in (1, FORMAT) or isinstance(version, bool):
        raise CheckpointError(
            f"{folder / MODEL_FILE}: expected format 1 or {FORMAT}, got {version!r}; use the relsift version that wrote it"
        )
    kind: type[Strict] = _EnsembleFile if is_ensemble else _ModelFile1 if version == 1 else _ModelFile
    if not is_ensemble and description is not None and is_exported(description):
        check_form(str(description["form"]), folder / MODEL_FILE)
        kind = ExportedFile
    conform(kind, description, folder / MODEL_FILE)
    checked: dict[str, Any] = description or {}
    return checked
