"""A folder of several trainings has one plan: what all of them share. It is written first, and compared when the work goes on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from relsift.config import RunConfig
from relsift.errors import CheckpointError
from relsift.files import make_folder, write_json
from relsift.json_schema import conform
from relsift.json_text import read_json
from relsift.report.wording import some_values
from relsift.training.run_folder import RunData, file_checksums

_ADVICE = "use another --out"


def plan_of(config: RunConfig, data: RunData) -> dict[str, Any]:
    """What decides the numbers of all trainings: data, files and options by their full names. A device rounds otherwise, and may differ."""
    options = config.model_dump(mode="json")
    del options["training"]["device"]
    if options["candidates"]["window"] == 1:  # folders that are older than the option lack it
        del options["candidates"]["window"]
    return {
        "data": data.name, "checksums": {**data.checksums, **file_checksums(config)}, "data options": dict(data.options),
        **{f"{section}.{name}": value for section, values in options.items() for name, value in values.items()},
    }  # fmt: skip


def check_plan(file: Path, plan: dict[str, Any], what: str, beside: Collection[str]) -> None:
    """Raises CheckpointError if the folder of the file is one of another plan, or holds other things.

    Args: what: the work, for the message. beside: names of further files and folders that may be there before the plan is.
    """
    folder = file.parent
    if not file.exists():
        content = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        if strange := [name for name in content if name not in beside and not name.startswith(".")]:
            raise CheckpointError(f"{folder}: expected a new or empty folder, got one that holds {strange[0]!r}; {_ADVICE}")
        return
    before = conform(dict[str, Any], read_json(file, advice=_ADVICE), file, advice=_ADVICE)
    if different := [name for name in {**plan, **before} if before.get(name) != plan.get(name)]:
        expected, got = (some_values(one, different) for one in (plan, before))
        raise CheckpointError(f"{file}: expected {what} with {expected}, got one with {got}; use the same options, or another --out")


def write_plan(file: Path, plan: dict[str, Any]) -> None:
    """Unless it is there."""
    if not file.exists():
        make_folder(file.parent)
        write_json(file, plan)
