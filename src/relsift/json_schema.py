"""Schemas of the JSON files that relsift reads back: wrong types are refused with file and place."""

from __future__ import annotations

from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from relsift.errors import CheckpointError, RelsiftError

Value = TypeVar("Value")


class Strict(BaseModel):
    """An object with just these keys, whose values are of just these types: "1" is no number, and 1 no text."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def conform(
    schema: type[Value], value: Any, file: Path | str, *, error: type[RelsiftError] = CheckpointError, advice: str = "copy the folder again"
) -> Value:
    """The value as its schema has it. Raises `error` with the file, the first wrong place in it, and `advice`."""
    try:
        conforming: Value = _adapter(cast(Any, schema)).validate_python(value)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        got = repr(first.get("input"))
        got = got if len(got) <= 80 else f"{got[:80]}…"
        raise error(f"{file}: {place}: {first['msg'].lower()}, got {got}; {advice}") from fault
    return conforming


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    has_own = is_dataclass(schema) or (isinstance(schema, type) and issubclass(schema, BaseModel))
    return TypeAdapter(schema, config=None if has_own else ConfigDict(strict=True))
