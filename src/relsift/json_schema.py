"""Schemas of the JSON files that relsift reads back: wrong types are refused with file and place."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from relsift.errors import CheckpointError, RelsiftError

Value = TypeVar("Value")
_LONGEST_QUOTE = 80  # characters of a value in a message
_LIBRARY_WORDS = re.compile(r"^\w+ should (?:be |have )|,? after validation.*$")  # pydantic's, around what was expected


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
        raise error(f"{file}: {complaint(fault.errors()[0])}; {advice}") from fault
    return conforming


def complaint(fault: ErrorDetails) -> str:
    """What pydantic found wrong, in the house form: place in the value, what was expected, what came."""
    *places, key = fault["loc"] or ("",)
    where = "".join(f"{place}: " for place in places)
    got = repr(fault.get("input"))
    got = got if len(got) <= _LONGEST_QUOTE else f"{got[:_LONGEST_QUOTE]}…"
    if fault["type"] == "missing":
        return f"{where}expected the key {key!r}, got {got}"
    if fault["type"] == "extra_forbidden":
        return f"{where}expected no key {key!r}, got it with {got}"
    is_object = fault["type"] in ("dict_type", "model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type")
    should_be = "a JSON object" if is_object else _LIBRARY_WORDS.sub("", fault["msg"])
    return f"{where}{f'{key}: ' if key != '' else ''}expected {should_be}, got {got}"


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    has_own = is_dataclass(schema) or (isinstance(schema, type) and issubclass(schema, BaseModel))
    return TypeAdapter(schema, config=None if has_own else ConfigDict(strict=True))
