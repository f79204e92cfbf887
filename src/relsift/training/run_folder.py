"""The folder of a run: whose run it holds, who may write it, and what it records before training (see `relsift.bundle` for its layout)."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from relsift.bundle import CONFIG_FILE, LOCK_FILE, RUN_FILE
from relsift.config import RunConfig
from relsift.corpora.leaks import fingerprints_of, write_fingerprints
from relsift.encoding.tokenizers import encoder_sha256
from relsift.encoding.vectors import vectors_sha256
from relsift.errors import CheckpointError, DataError
from relsift.files import RUN_CONTENT, locked, replaced_file, write_json
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json
from relsift.report.wording import some_values
from relsift.schema import Document, Sentence
from relsift.training.sentence_file import SentenceFile

SEEDS = "seeds"  # key of run.json, in a folder of several runs
FINGERPRINTS_FILE = "training_sentences.sha256"  # of a run folder: knows again what the model was trained on


@dataclass(frozen=True)
class RunData:
    """The sentences of a run."""

    name: str
    training: Sequence[Sentence]
    development: Sequence[Sentence]  # to select the epoch and the threshold on
    checksums: Mapping[str, str]  # name of a data set -> sha256
    options: Mapping[str, Any] = field(default_factory=dict)  # how the data was read and cut, where not as usual
    documents: tuple[Sequence[Document], Sequence[Document]] | None = None  # those of both parts, for passages; None: unknown
    about: Mapping[str, str] = field(default_factory=dict)  # what a model of this data tells people too: licence, data_licence, language


def seed_folder(seed: int) -> str:
    """The name of the run of one seed, in a folder of several runs."""
    return f"seed-{seed}"


@contextmanager
def claimed(folder: Path, *, busy: str | None = None) -> Iterator[None]:
    """The run folder, made if need be, for this process alone within the block.

    Args: busy: the error message if another process holds it; None: that of a training.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: expected a place for a run folder, got {error.strerror}; name another --out") from error
    trains = f"{folder}: expected a run folder that no other process trains in, got one where one does; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=trains if busy is None else busy):
        yield


class _RunFile(Strict):
    """What is read of run.json; the rest is for people."""

    model_config = ConfigDict(extra="ignore")
    data: str
    checksums: dict[str, str]
    seed: int


def record_of(folder: Path) -> dict[str, Any]:
    """The whole of run.json. Raises CheckpointError naming the file if it is broken."""
    file, advice = folder / RUN_FILE, "start again in another --out"
    value: dict[str, Any] = read_json(file, advice=advice)
    conform(_RunFile, value, file, advice=advice)
    return value


def identity_of(config: RunConfig, data: RunData) -> dict[str, Any]:
    """What a run and its continuation have in common, beside the configuration."""
    return {"data": data.name, "checksums": {**data.checksums, **file_checksums(config)}, "seed": config.training.seed}


def file_checksums(config: RunConfig) -> dict[str, str]:
    """Of the files that the configuration names and training reads; of a hub id there is none.

    Raises: DataError for word vectors that are not there, ConfigError for a teacher that is not.
    """
    checksums = {}
    if (vectors := config.encoding.vectors) is not None:
        checksums["word vectors"] = vectors_sha256(Path(vectors))
    if config.encoding.encoder is not None and (encoder := encoder_sha256(config.encoding.encoder)) is not None:
        checksums["encoder"] = encoder
    if config.training.teacher is not None:
        from relsift.training.teacher import teacher_checksum  # which needs torch

        checksums["teacher"] = teacher_checksum(config.training.teacher)
    return checksums


def check_place(config: RunConfig, data: RunData, folder: Path, resume: bool, *, seeds: Sequence[int] = ()) -> None:
    """Raises CheckpointError if the folder holds other things, a run that is not to be resumed, or one of another configuration or data.

    Args: seeds: of the runs that the folder is to hold (see `relsift.training.seeds`); none for a single run.
    """
    config_file, run_file, several = folder / CONFIG_FILE, folder / RUN_FILE, bool(seeds)
    if not config_file.exists():
        known = {*RUN_CONTENT, "lock", *(name for name in map(seed_folder, seeds) if not (folder / name / CONFIG_FILE).exists())}
        content = folder.iterdir() if folder.is_dir() else ()
        strange = sorted(path.name for path in content if path.name not in known and not path.name.startswith("."))
        if strange:
            raise CheckpointError(f"{folder}: expected a new or empty run folder, got one that holds {strange[0]!r}; use another --out")
        return
    if not resume:
        raise CheckpointError(
            f"{folder}: expected a new or empty run folder, got one that holds a run; use --resume or another --out"
        )
    before = record_of(folder)
    if (SEEDS in before) != several:
        expected, got = ("runs of several seeds", "a single run") if several else ("a single run", "runs of several seeds")
        raise CheckpointError(f"{folder}: expected {expected} to resume, got {got}; use the same --seeds, or another --out")
    here, there = config.differences(config_file)
    if here:
        raise CheckpointError(
            f"{config_file}: expected the configuration of the run to resume, with {some_values(there, list(there))}, "
            f"got {some_values(here, list(here))}; use the same options"
        )
    if before.get("data_options", {}) != dict(data.options):
        raise CheckpointError(
            f"{run_file}: expected the options that the run to resume read its data with, {before.get('data_options', {})}, "
            f"got {dict(data.options)}; use the same options"
        )
    identity = identity_of(config, data)
    if {key: before.get(key) for key in identity} != identity:
        known, now = before.get("checksums", {}), identity["checksums"]
        changed = [name for name in {**known, **now} if known.get(name) != now.get(name)]
        gone = [name for name in changed if name not in now]
        of = f" of {', '.join(changed)}" if changed else ""
        of += f" ({', '.join(gone)} is not there any more)" if gone else ""
        raise CheckpointError(
            f"{run_file}: expected the same data as the run to resume, got {identity['data']} with other checksums{of}; use another --out"
        )


def begin(config: RunConfig, data: RunData, folder: Path, *, seeds: Sequence[int] = ()) -> None:
    """Write the record of a new run into the folder, unless there is one.

    Args: seeds: of the runs that the folder will hold; none for a single run.
    """
    if (folder / CONFIG_FILE).exists():
        if seeds:  # there may be more of them than before
            write_json(folder / RUN_FILE, record_of(folder) | {SEEDS: list(seeds)})
        return
    used = ("relsift", "torch", "numpy", "numba", "safetensors", *(("transformers", "tokenizers") if config.encoding.encoder else ()))
    packages = {name: version(name) for name in used}
    write_json(
        folder / RUN_FILE,
        identity_of(config, data)
        | ({"data_options": dict(data.options)} if data.options else {})
        | ({SEEDS: list(seeds)} if seeds else {})
        | {
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "versions": {"python": platform.python_version(), **packages},
            "machine": {"system": platform.platform(), "processors": os.cpu_count()},
            "sentences": {"training": len(data.training), "development": len(data.development)},
        },
    )
    training = data.training
    known = training.fingerprints() if isinstance(training, SentenceFile) else fingerprints_of(training)
    write_fingerprints(folder / FINGERPRINTS_FILE, known)
    with replaced_file(folder / CONFIG_FILE) as stream:  # last: this file marks the folder as that of a run
        stream.write(config.to_yaml())
