"""Whole writes: what a reader and the user find after a success, an error, and where nothing can be written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from relsift import bundle, files
from relsift.errors import ConfigError, DataError
from relsift.files import check_output, replaced_file, replaced_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder "old" and a file "note" in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/content").write_text("old")
    (tmp_path / "note").write_text("mine")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["old", "old/", "new", "deep/er", "mö 漢"])
def test_a_folder_is_replaced_whole(name: str, place: Path):
    with replaced_folder(Path(name)) as fresh:
        (fresh / "content").write_text("new")
        assert not (place / name / "content").exists() or (place / name / "content").read_text() == "old"
    assert (place / name / "content").read_text() == "new"
    assert set(names(place)) == {"note", "old", name.split("/")[0]}


def test_an_error_leaves_file_and_folder_as_they_were(place: Path):
    with pytest.raises(ZeroDivisionError), replaced_folder(Path("old")) as fresh:
        (fresh / "content").write_text(str(1 / 0))
    with pytest.raises(ZeroDivisionError), replaced_file(Path("note")) as stream:
        stream.write(str(1 / 0))
    assert names(place) == ["note", "old"]
    assert ((place / "old/content").read_text(), (place / "note").read_text()) == ("old", "mine")


def test_a_link_to_a_folder_stays_a_link(place: Path):
    (place / "link").symlink_to("old")
    with replaced_folder(Path("link")) as fresh:
        (fresh / "content").write_text("new")
    assert (place / "link").is_symlink()
    assert (place / "old/content").read_text() == "new"
    assert names(place) == ["link", "note", "old"]


@pytest.mark.parametrize(("name", "obstacle"), [("note", "a file"), (".", "the working folder"), ("..", "the working folder, or one")])
def test_a_folder_that_cannot_be_replaced_is_refused_before_anything_is_written(name: str, obstacle: str, place: Path):
    with pytest.raises(DataError, match=f"expected a folder that can be written or replaced, got {obstacle}"), replaced_folder(Path(name)):
        raise AssertionError("the block has begun")
    assert names(place) == ["note", "old"]
    assert (place / "note").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("old", "expected a file to write, got a folder"), (".", "expected a file"), ("none/x", "expected a place to write to, got No such")],
)
def test_a_file_that_cannot_be_written_is_named(name: str, problem: str, place: Path):
    with pytest.raises(DataError, match=f"^{name}: {problem}"), replaced_file(Path(name)):
        raise AssertionError("the block has begun")
    assert names(place) == ["note", "old"]


# ---- outputs that would destroy something


@pytest.fixture
def kept(place: Path) -> Path:
    """The working folder with a model folder, a run folder around a model, and data of two documents."""
    for name in ("model/model.json", "model/model.safetensors", "run/config.yaml", "run/run.json", "run/state/state.json"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("{}")
    shutil.copytree(place / "model", place / "run/model")
    (place / "data").mkdir()
    (place / "data/one.ann").write_text("T1\tA 0 1\tx\n")
    return place


def link(place: Path) -> str:
    (place / "link").symlink_to("note")
    return "link"


def hard_link(place: Path) -> str:
    (place / "twin").hardlink_to(place / "note")
    return "twin"


def read_through_a_link(place: Path) -> str:
    (place / "data/two.ann").symlink_to("../note")
    return "note"


def link_to_folder(place: Path) -> str:
    (place / "linked").symlink_to("data")
    return "linked/two.ann"


@pytest.mark.parametrize(
    ("out", "read"),
    [("note", "note"), ("./data/../note", "note"), (link, "note"), (hard_link, "note"), ("note", link), ("data/new", "data"),
     (link_to_folder, "data"), (read_through_a_link, "data"), ("data", "data"), ("data", "data/one.ann"),
     (".", "data/one.ann"), ("new/../data/x/y", "data")],
)  # fmt: skip
def test_what_is_read_is_never_written_under_whatever_name(out, read, kept: Path):
    out, read = (name(kept) if callable(name) else name for name in (out, read))
    with pytest.raises(ConfigError, match=f"^{re.escape(str(Path(out)))}: expected .*{re.escape(str(Path(read)))}"):
        check_output(Path(out), [Path(read), Path("old")])


@pytest.mark.parametrize(
    "out",
    ["model/model.json", "model/new.jsonl", "model/deep/new", "run/config.yaml", "run/run.json", "run/history.jsonl", "run/model",
     "run/model/decision.json", "run/state/x", "run/metrics.json", "."],
)  # fmt: skip
def test_a_part_of_a_model_or_run_is_no_place_to_write(out: str, kept: Path):
    with pytest.raises(ConfigError, match=r"expected a place of its own, got a .* (model|run) folder"):
        check_output(Path(out), [])


@pytest.mark.parametrize("out", ["new", "new/deep", "old/new", "note", "run", "run/predictions.jsonl", "model", "/dev/null", "old", "loop"])
def test_other_places_may_be_written(out: str, kept: Path):
    (kept / "loop").symlink_to("loop")
    check_output(Path(out), [Path("data"), Path("nothing there")])


def test_the_names_of_a_model_and_a_run_are_those_that_are_written():
    assert (files.MODEL_MARK, files.WEIGHTS_NAME) == (bundle.MODEL_FILE, bundle.WEIGHTS_FILE)
    assert set(files.RUN_MARKS) == {bundle.CONFIG_FILE, bundle.RUN_FILE}
    written = {bundle.CONFIG_FILE, bundle.RUN_FILE, bundle.HISTORY_FILE, bundle.METRICS_FILE, bundle.STATE_FOLDER, bundle.MODEL_FOLDER}
    assert written == files.RUN_CONTENT
