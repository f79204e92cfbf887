"""Whole writes: what a reader and the user find after a success, an error, and where nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.files import replaced_file, replaced_folder


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
