"""Names to objects: hints for near misses, plug-ins, and that every entry of the tables is there."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

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
    """Installs plug-ins, readers if not said otherwise, under names of the test's choice."""

    def install(*names: str, value: str = "relsift.readers.native:READER", kind: str = "reader") -> None:
        own = registry.GROUPS[kind]
        points = [EntryPoint(name, value, own) for name in names]
        monkeypatch.setattr(registry, "plug_ins", lambda: EntryPoints(points))
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
    with pytest.raises(ConfigError, match=r"expected a new reader name, got 'spert', which relsift\.readers\.spert:READER has"):
        find("reader", "native")


def test_two_plug_ins_cannot_have_one_name(plug_in):
    plug_in("mine", "mine")
    with pytest.raises(ConfigError, match=r"expected a new reader name, got 'mine', which relsift\.readers\.native:READER has"):
        find("reader", "native")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("nowhere_to_be_found:READER", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("relsift.readers.native:WRITER", "AttributeError: .* has no attribute 'WRITER'"),
        ("relsift.readers.native", "AttributeError: a module and no attribute"),
        ("broken_at_import:READER", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plug_in_that_cannot_be_imported_is_named(plug_in, value: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "broken_at_import.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    plug_in("mine", value=value)
    with pytest.raises(ConfigError, match=rf"^reader mine: expected '{value}', which it stands for, got {problem}"):
        find("reader", "mine")
    assert find("reader", "native").name == "native"  # the others can be used


def test_the_extras_of_an_entry_point_and_a_dotted_attribute_are_understood(plug_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "grouped_readers.py").write_text("from relsift.readers.native import READER\nclass Readers:\n    MINE = READER\n")
    monkeypatch.syspath_prepend(tmp_path)
    plug_in("mine", value="grouped_readers:Readers.MINE [extra]")
    assert find("reader", "mine").name == "native"


@pytest.mark.parametrize(("kind", "base"), registry.BASES.items())
def test_a_plug_in_of_another_kind_is_refused_by_name(plug_in, kind: str, base: str):
    plug_in("mine", value="relsift.text:is_mostly_cjk", kind=kind)
    with pytest.raises(ConfigError, match=rf"^{kind} mine: .*is_mostly_cjk.* expected an? (subclass|instance) of {base}"):
        find(kind, "mine")


def test_a_plug_in_model_without_presets_is_refused_by_name(plug_in):
    plug_in("mine", value="relsift.models.base.model:RelationModel", kind="model")
    with pytest.raises(ConfigError, match=r"^model mine: .* without Config, PRESETS, SUMMARY, READS"):
        find("model", "mine")


def test_a_plug_in_loss_that_does_not_say_what_it_takes_is_refused_by_name(plug_in):
    plug_in("mine", value="relsift.losses.base:PairLoss", kind="loss")
    with pytest.raises(ConfigError, match=r"^loss mine: .* without SUMMARY, SEVERAL_LABELS, NONE_COLUMN"):
        find("loss", "mine")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in TABLES.items() for name in names])
def test_every_entry_is_what_a_plug_in_of_its_kind_must_be(kind: str, name: str):
    registry._check_plug_in(kind, find(kind, name))
