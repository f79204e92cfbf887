"""Where finished cells lie: one JSON file each while a grid is computed, one compressed file for all when it is done.

OUT/cells/SYSTEM/fold<k>-seed<s>.json     a loose cell
OUT/cells.jsonl.xz                        the packed ones, as lines of JSON: first a header, then a cell a line

Both kinds may stand in one folder. The header has the plan, which the lines leave out, and a checksum of the lines. The same cells give
the same bytes: nothing of the time or the machine of packing is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relsift.errors import ConfigError, DataError
from relsift.experiments.result import CellResult, Plan, cell_name
from relsift.experiments.system import System
from relsift.locks import output_errors

PACK_FILE = "cells.jsonl.xz"
PACK_FORMAT = 1
LOOSE_FILES = "fold*-seed*.json"  # in the folder of a system, as `CellResult.name` has it


@dataclass(frozen=True)
class StoredCell:
    result: CellResult
    where: str  # for messages: its file, and in a pack its name


def stored_cells(folder: Path, systems: Collection[str] | None = None) -> list[StoredCell]:
    """The finished cells of a folder, loose and packed, by system, fold and seed; of these systems only, if some are named.

    Raises: DataError if a file is broken, or a cell is there twice with different content.
    """
    pattern = f"*/{LOOSE_FILES}"
    loose = (file for file in sorted((folder / "cells").glob(pattern)) if systems is None or file.parent.name in systems)
    cells: dict[str, StoredCell] = {}
    for stored in [*_load_all(loose), *_packed(folder, systems)]:
        first = cells.setdefault(stored.result.name, stored)
        if first is not stored and first.result.to_json() != stored.result.to_json():
            raise DataError(f"{first.where}: expected the same result as in {stored.where}, got another one; delete the wrong one")
    return sorted(cells.values(), key=lambda stored: _place(stored.result))


def finished_names(folder: Path) -> set[str]:
    """Names of all finished cells of a folder. Raises DataError if its pack is broken."""
    loose = {f"{file.parent.name}/{file.stem}" for file in (folder / "cells").glob(f"*/{LOOSE_FILES}")}
    if not (file := folder / PACK_FILE).is_file():
        return loose
    return loose | {cell_name(System.from_json(cell["system"]), cell["fold"], cell["seed"]) for cell in _unpacked(file)}


def cells_of_one_system(folder: Path) -> list[CellResult]:
    """In a folder of `relsift cv` that holds no other, or in its folder cells/SYSTEM. Empty if it is neither.

    A system whose cells are packed is named in the same way, although it has no folder of its own any more.
    Raises: DataError if there are several systems to choose from, or none with a cell.
    """
    grid, system = (folder.parent.parent, folder.name) if folder.parent.name == "cells" else (folder, None)
    if system is not None and (grid / PACK_FILE).is_file():
        return [stored.result for stored in stored_cells(grid, {system})]
    if not (folder / "cells").is_dir() and not (folder / PACK_FILE).is_file():
        return [stored.result for stored in _load_all(sorted(folder.glob(LOOSE_FILES)))]
    cells = [stored.result for stored in stored_cells(folder)]
    names = sorted({cell.system.name for cell in cells})
    if len(names) != 1:
        advice = f"name one: {folder / 'cells' / names[0]}" if names else "finish `relsift cv` first"
        raise DataError(f"{folder}: expected the finished cells of one system, got {', '.join(names) or 'none'}; {advice}")
    return cells


def pack_loose_cells(folder: Path, plan: Plan) -> int:
    """Put all finished cells of a folder into its pack, and delete the loose files; returns how many cells the pack has.

    No other process may compute cells in the folder meanwhile.
    Raises: DataError as `stored_cells` does, or if a cell is not of this plan.
    """
    loose = list((folder / "cells").glob(f"*/{LOOSE_FILES}"))
    cells = stored_cells(folder)
    if not cells:
        raise DataError(f"{folder}: expected finished cells to pack, got none; compute some first")
    for stored in cells:
        if stored.result.plan != plan:
            raise DataError(f"{stored.where}: expected a cell of the folder's plan, got one of another plan; move it to another folder")
    write_pack(folder / PACK_FILE, plan, [stored.result for stored in cells])
    for file in loose:
        file.unlink()
    for place in [*{file.parent for file in loose}, folder / "cells"]:
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    return len(cells)


def write_pack(file: Path, plan: Plan, cells: Sequence[CellResult]) -> None:
    """Write cells of one plan, by system, fold and seed. A reader sees the old file or the whole new one."""
    import lzma  # here, and below: some builds of Python lack it, and only packs need it

    lines = [_line(_to_json(cell)) for cell in sorted(cells, key=_place)]
    header = _line({"format": PACK_FORMAT, "plan": plan.to_json(), "cells": len(lines), "sha256": _sha256(lines)})
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with output_errors(file), temporary.open("wb") as stream:
            stream.write(lzma.compress("".join([header, *lines]).encode("utf-8"), preset=6 | lzma.PRESET_EXTREME))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def read_pack(file: Path, systems: Collection[str] | None = None) -> list[CellResult]:
    """The cells of some systems, or of all. Raises DataError naming the file if it is broken, was changed, or is of another version."""
    cells = _unpacked(file)
    try:
        return [CellResult.from_json(cell) for cell in cells if systems is None or cell["system"]["name"] in systems]
    except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise DataError(f"{file}: expected packed cells of a grid, got {error!r}; take it from its source again") from error


def _unpacked(file: Path) -> list[dict[str, Any]]:
    """Each cell as `CellResult.from_json` takes it."""
    import lzma

    try:
        # Not `splitlines`, which also cuts at other characters that a label may have.
        first, *lines = (f"{line}\n" for line in lzma.decompress(file.read_bytes()).decode("utf-8").removesuffix("\n").split("\n"))
        header = json.loads(first)
        if header["format"] != PACK_FORMAT:
            raise DataError(f"{file}: expected packed cells of format {PACK_FORMAT}, got {header['format']!r}; use a newer relsift")
        got = {"cells": len(lines), "sha256": _sha256(lines)}
        expected = {key: header[key] for key in got}
        if got != expected:
            raise DataError(f"{file}: expected {_facts(expected)} as in its first line, got {_facts(got)}; take it from its source again")
        return [{"plan": header["plan"]} | json.loads(line) for line in lines]
    except (lzma.LZMAError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file}: expected packed cells of a grid, got {error!r}; take it from its source again") from error


def _load_all(files: Iterable[Path]) -> Iterator[StoredCell]:
    return (StoredCell(CellResult.load(file), str(file)) for file in files)


def _packed(folder: Path, systems: Collection[str] | None) -> list[StoredCell]:
    file = folder / PACK_FILE
    if not file.is_file():
        return []
    return [StoredCell(cell, f"{file}, {cell.name}") for cell in read_pack(file, systems)]


def _place(cell: CellResult) -> tuple[str, int, int]:
    return cell.system.name, cell.fold, cell.seed


def _to_json(cell: CellResult) -> dict[str, Any]:
    """Without the plan, and without what is computed from counts: its last digit may differ from one version of Python to another."""
    value = cell.to_json()
    del value["plan"]
    for name in ("development", "test", "sampled"):
        if (scores := value[name]) is not None:
            kinds = {kind: {count: row[count] for count in ("tp", "fp", "fn")} for kind, row in scores["per_type"].items()}
            errors = {kind: count for kind, count in scores["errors"].items() if kind != "shares"}
            kept = {key: scores[key] for key in ("setting", "sentences", "confusion", "lost_relations") if key in scores}
            value[name] = kept | {"per_type": kinds, "errors": errors}
    return value


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _sha256(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def _facts(facts: dict[str, Any]) -> str:
    return f"{facts['cells']} cells of sha256 {facts['sha256']}"
