"""corpus.json: the description of a prepared corpus, beside its files and with their checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from relsift.errors import DataError
from relsift.files import recovered, write_json
from relsift.json_schema import conform
from relsift.json_text import read_json, sealed

FORMAT = 1  # raised when older versions of relsift cannot read the new form
DESCRIPTION_FILE = "corpus.json"


class _Part(BaseModel):
    """One split; further keys are for people."""

    model_config = ConfigDict(strict=True)
    file: str
    sha256: str


class _Description(BaseModel):
    """What is read of corpus.json."""

    model_config = ConfigDict(strict=True)
    format: int
    splits: dict[str, _Part]
    dropped: dict[str, Any]


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Write corpus.json into the folder of a prepared corpus."""
    write_json(folder / DESCRIPTION_FILE, sealed({"format": FORMAT} | description))


def read_description(name: str, folder: Path) -> dict[str, Any]:
    """Raises DataError, with what to do, if corpus `name` was not prepared in `folder` or its description is damaged."""
    file = recovered(folder) / DESCRIPTION_FILE
    if not file.is_file():
        raise DataError(f"{name}: expected a prepared corpus in {folder}, got none; run `relsift corpora prepare {name}`")
    advice = f"run `relsift corpora prepare {name}` again"
    description: dict[str, Any] = read_json(file, error=DataError, advice=advice)
    conform(_Description, description, file, error=DataError, advice=advice)
    if description["format"] != FORMAT:
        raise DataError(f"{file}: expected a description in format {FORMAT}, got format {description['format']}; {advice}")
    return description
