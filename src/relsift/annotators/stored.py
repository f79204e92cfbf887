"""The annotators of a model in its folder: `annotators.json`, with copies of the files that entity annotators read.

{"trees": "spacy:en_core_web_sm==3.8.0",
 "entities": {"specs": ["patterns:annotators/1/names.jsonl", "lac==0.1.0"], "types": {"TIME": null},
              "sha256": {"annotators/1/names.jsonl": "…"}}}

A path that begins with `annotators/` is below the model folder, so that the folder can be moved.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from relsift.annotators.base import Addition, kind_of, split_options, split_spec, split_version
from relsift.annotators.entities import EntitySource
from relsift.errors import CheckpointError, ConfigError
from relsift.files import file_sha256, files_below, folder_sha256, joint_sha256, make_folder, write_json
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json
from relsift.locks import output_errors

ANNOTATORS_FILE = "annotators.json"
ANNOTATORS_FOLDER = "annotators"  # below the model folder; one folder in it for each spec that names a path, counted from 1
_CHECKSUM = "annotators_sha256"  # key of model.json
APPLIED: frozenset[Addition] = frozenset({"trees", "entities"})  # what prediction lets annotators add


class _Entities(Strict):
    specs: list[str]
    types: dict[str, str | None]
    sha256: dict[str, str]  # file below the model folder -> checksum


def save_annotators(folder: Path, annotators: Mapping[Addition, str], source: EntitySource | None) -> None:
    """Write `annotators.json` and copy what the source names, if there is anything. A spec without a version gets the installed one.

    Raises: ConfigError for an annotator that is not installed, or a file that is not there.
    """
    content: dict[Any, Any] = dict(annotators)
    if source is not None:
        pinned = source.pinned()
        specs = [_copied(spec, folder, number) for number, spec in enumerate(pinned.specs, start=1)]
        files = files_below(folder / ANNOTATORS_FOLDER, ()) if (folder / ANNOTATORS_FOLDER).is_dir() else []
        checksums = {file.relative_to(folder).as_posix(): file_sha256(file) for file in files}
        content["entities"] = replace(pinned, specs=tuple(specs)).to_json() | {"sha256": checksums}
    if content:
        write_json(folder / ANNOTATORS_FILE, content)


def annotators_checksum(folder: Path) -> dict[str, str]:
    """What `model.json` says of `annotators.json`, so that a folder that has lost it is known; nothing if there is none."""
    file = folder / ANNOTATORS_FILE
    return {_CHECKSUM: file_sha256(file)} if file.is_file() else {}


def load_annotators(folder: Path, description: Mapping[str, Any] | None = None) -> tuple[dict[Addition, str], EntitySource | None]:
    """Annotators by what they add, and the source of entities with paths into the folder. Nothing is loaded.

    Args: description: of the model, as `model.json` has it; None: unknown.
    Raises: CheckpointError naming the file that is broken, missing or altered.
    """
    file = folder / ANNOTATORS_FILE
    if (expected := (description or {}).get(_CHECKSUM)) is not None:
        got = f"sha256 {file_sha256(file)}" if file.is_file() else "no such file"
        if got != f"sha256 {expected}":
            raise CheckpointError(f"{file}: expected sha256 {str(expected)[:64]}, got {got}; copy the whole folder again")
    if not file.is_file():
        return {}, None
    value = conform(dict[str, Any], read_json(file), file)
    if not value.keys() <= APPLIED:
        known = " or ".join(sorted(APPLIED))
        raise CheckpointError(f"{file}: expected annotators that add {known}, got {sorted(value)}; use the relsift version that wrote it")
    entities = value.pop("entities", None)
    annotators = conform(dict[Addition, str], value, file)
    return annotators, None if entities is None else _source(conform(_Entities, entities, f"{file}: entities"), folder)


def _source(stored: _Entities, folder: Path) -> EntitySource:
    file = folder / ANNOTATORS_FILE
    for name, checksum in stored.sha256.items():
        if not _is_inside(name):
            raise CheckpointError(f"{file}: entities: sha256: expected files below {ANNOTATORS_FOLDER}, got {name!r}")
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder / name}: expected a file of the model's annotators, got nothing; copy the whole folder again")
        if (got := file_sha256(folder / name)) != checksum:
            raise CheckpointError(f"{folder / name}: expected sha256 {checksum[:64]}, got {got}; it was altered: copy the folder again")
    try:
        return EntitySource(tuple(_placed(spec, stored, folder) for spec in stored.specs), stored.types)
    except ConfigError as error:
        raise CheckpointError(f"{file}: {error}") from error


def _copied(spec: str, folder: Path, number: int) -> str:
    """The spec with the path of a copy below the folder, if it names a file or folder."""
    bare, options = split_options(spec)
    kind, argument = split_spec(bare, "entities")
    annotator = kind_of(kind, "entities")
    name, version = split_version(argument) if annotator.VERSIONED else (argument, None)
    if (path := annotator.path_of(name)) is None:
        return spec
    path = path.resolve()
    if not path.exists():
        raise ConfigError(f"annotator {spec}: expected a file or folder to copy into the model folder, got nothing at {path}")
    copy = PurePosixPath(ANNOTATORS_FOLDER, str(number), path.name)
    make_folder((folder / copy).parent)
    with output_errors(folder / copy):
        if path.is_dir():
            shutil.copytree(path, folder / copy)
        else:
            shutil.copyfile(path, folder / copy)
    return f"{kind}{options}:{copy}" + (f"=={version}" if version is not None else "")


def source_checksum(source: EntitySource) -> str:
    """Of the files that the specs name; versions of the others stand in the specs. Raises ConfigError as `find_annotator`."""
    sums: dict[str, str] = {}
    for number, spec in enumerate(source.specs):
        kind, argument = split_spec(split_options(spec)[0], "entities")
        annotator = kind_of(kind, "entities")
        name, _ = split_version(argument) if annotator.VERSIONED else (argument, None)
        path = annotator.path_of(name)
        if path is not None and path.exists():
            sums[str(number)] = folder_sha256(path) if path.is_dir() else file_sha256(path)
    return joint_sha256(sums)


def _placed(spec: str, stored: _Entities, folder: Path) -> str:
    """The spec with its path below the folder, if it has one there. Raises CheckpointError for a file that has no checksum."""
    kind, colon, argument = spec.partition(":")
    if not colon or not argument.startswith(f"{ANNOTATORS_FOLDER}/"):
        return spec
    name = next((part for part in (argument, split_version(argument)[0]) if _is_stored(part, stored)), None)
    if name is None:
        got = f"{spec!r}, whose files have no checksum"
        raise CheckpointError(f"{folder / ANNOTATORS_FILE}: entities: specs: expected files that are in the folder, got {got}")
    return f"{kind}:{(folder / name).resolve()}{argument.removeprefix(name)}"


def _is_stored(name: str, stored: _Entities) -> bool:
    return _is_inside(name) and any(file == name or file.startswith(f"{name}/") for file in stored.sha256)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[:1] == (ANNOTATORS_FOLDER,) and ".." not in path.parts
