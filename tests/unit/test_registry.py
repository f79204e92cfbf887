"""Names to objects: hints for near misses, plug-ins, and that every entry of the tables is there."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from relsift import registry
from relsift.errors import ConfigError
from relsift.registry import TABLES, find


def test_a_known_name_gives_the_object():
    assert find("reader", "native").name == "native"


def test_a_near_miss_gets_a_hint():
    with pytest.raises(ConfigError, match=r"reader: expected one of .*, got 'natvie'; did you mean native\?$"):
        find("reader", "natvie")
    with pytest.raises(ConfigError, match=r"did you mean ade_folds or ade_rel\?$"):
        find("reader", "ade_rols")


def test_a_name_like_no_other_gets_the_list_without_a_hint():
    with pytest.raises(ConfigError, match=r"writer: expected one of .*html.*native.*, got 'zzz'$"):
        find("writer", "zzz")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in TABLES.items() for name in names])
def test_every_entry_can_be_imported(kind: str, name: str):
    assert find(kind, name) is not None


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch):
    """Installs one reader plug-in under a name of the test's choice."""

    def install(name: str) -> None:
        point = EntryPoint(name, "relsift.readers.native:READER", "relsift.readers")
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "relsift.readers" else [])
        registry.table.cache_clear()

    yield install
    monkeypatch.undo()
    registry.table.cache_clear()


def test_a_plug_in_adds_a_name(plug_in):
    plug_in("mine")
    assert find("reader", "mine").name == "native"
    assert "mine" not in registry.table("writer")
    assert "mine" not in registry.READERS  # our own table is not touched


def test_a_plug_in_cannot_take_a_name_that_exists(plug_in):
    plug_in("spert")
    with pytest.raises(ConfigError, match="expected a new reader name, got 'spert', which exists"):
        find("reader", "native")
