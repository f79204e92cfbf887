"""Every class and function that the pages of the reference show has an example, and what its docstring refers to is there."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PAGES = Path(__file__).parents[2] / ".ci" / "site" / "reference.py"


def shown() -> Iterator[tuple[str, Any]]:
    """Full name and value of each class and function on a page, as mkdocstrings chooses them: public, and defined in that module."""
    for name in names_on_pages():
        if not is_module(name):
            yield name, resolved(name)
            continue
        for own, value in vars(import_module(name)).items():
            if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == name and not own.startswith("_"):
                yield f"{name}.{own}", value


def names_on_pages() -> list[str]:
    """The modules and objects of `API`, read without what the other pages need."""
    tree = ast.parse(PAGES.read_text(encoding="utf-8"))
    [pages] = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "API"]
    return [name for _, _, names in ast.literal_eval(pages).values() for name in names]


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def has_example(value: Any) -> bool:
    """In its docstring, or a class in that of one of its own methods and properties."""
    parts = [value, *vars(value).values()] if inspect.isclass(value) else [value]
    own = [part.fget if isinstance(part, property) else getattr(part, "__func__", part) for part in parts]
    return any(">>> " in (part.__doc__ or "") for part in own if part is value or inspect.isfunction(part))


def named(value: Any) -> list[str]:
    """The names after "See also", in full."""
    lines = re.findall(r"^ *See also: (.+)$", value.__doc__ or "", re.MULTILINE)
    names = [name for line in lines for name in re.findall(r"`([\w.]+)`", line)]
    return [name if "." in name else f"{value.__module__}.{name}" for name in names]


def is_there(name: str) -> bool:
    if is_module(name):
        return True
    place, _, attribute = name.rpartition(".")
    return bool(place) and is_there(place) and hasattr(resolved(place), attribute)


def resolved(name: str) -> Any:
    if is_module(name):
        return import_module(name)
    place, _, attribute = name.rpartition(".")
    return getattr(resolved(place), attribute)


def test_every_object_of_the_reference_has_an_example():
    assert not [name for name, value in shown() if not has_example(value)]


def test_what_an_object_of_the_reference_refers_to_is_there():
    assert not [(name, other) for name, value in shown() for other in named(value) if not is_there(other)]


class _Bare:
    """See also: `nowhere`, `relsift.schema.Document`."""

    count: int = 0  # int has an example of its own

    @property
    def size(self) -> int:
        """Without one."""
        return 0


class _Shown(_Bare):
    @classmethod
    def made(cls) -> _Shown:
        """>>> _Shown.made()"""
        return cls()


@pytest.mark.parametrize(("value", "expected"), [(_Bare, False), (_Shown, True), (_Shown.made.__func__, True), (is_there, False)])
def test_an_object_without_an_example_is_told(value, expected):
    assert has_example(value) is expected


def test_a_name_that_is_nowhere_is_told():
    assert [is_there(name) for name in named(_Bare)] == [False, True]
