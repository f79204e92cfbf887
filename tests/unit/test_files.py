"""Whole writes: what a reader and the user find after a success, an error, and where nothing can be written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from relsift import bundle, files
from relsift.errors import CheckpointError, ConfigError, DataError, OutputError
from relsift.files import check_output, open_output, recovered, replaced_file, replaced_files, replaced_folder, to_json
from relsift.locks import locked
from relsift.training.run_folder import FINGERPRINTS_FILE


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
    assert written | {FINGERPRINTS_FILE, bundle.LOCK_FILE} == files.RUN_CONTENT


# ---- killed processes, and two at once

OPERATIONS = ("mkdir", "rename", "replace", "unlink", "rmdir", "open", "chmod", "stat", "lstat")  # of the system that writing uses


def killed_at(number: int, work: Callable[[], Any]) -> bool:
    """Do the work in a process that kills itself at its operation of this number; False if the work has ended before."""
    child = os.fork()
    if not child:
        left = number

        def dying(operation: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return operation(*arguments, **options)

            return call

        for name in OPERATIONS:
            setattr(os, name, dying(getattr(os, name)))
        work()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL)
    return status != 0


def replace_old(place: Path) -> None:
    with replaced_folder(place / "old") as fresh:
        (fresh / "deep").mkdir()
        for name in ("content", "deep/more"):
            (fresh / name).write_text("new")


def kills(place: Path, work: Callable[[Path], None], again: Callable[[], None]) -> Iterator[int]:
    """The numbers of all operations that the work can be killed at; `again` restores the start."""
    number = 0
    while killed_at(number, lambda: work(place)):
        yield number
        again()
        number += 1


def test_a_folder_is_old_or_new_and_nothing_is_left_wherever_its_replacement_is_killed(place: Path):
    def again() -> None:
        shutil.rmtree(place / "old", ignore_errors=True)
        (place / "old").mkdir()
        (place / "old/content").write_text("old")

    seen: list[str] = []
    for number in kills(place, replace_old, again):
        recovered(place / "old")
        assert not [name for name in names(place) if name.endswith((".tmp", ".old"))], number
        seen.append((place / "old/content").read_text())
        assert seen[-1] == "old" or (place / "old/deep/more").read_text() == "new"
        with replaced_file(place / "old/content") as stream:  # the next writer finds nothing in its way
            stream.write(seen[-1])
    assert set(seen) == {"old", "new"}
    assert seen == sorted(seen, reverse=True)  # old up to the swap, new from then on
    assert len(seen) > 10
    with replaced_folder(place / "old") as fresh:
        (fresh / "content").touch()
    assert names(place) == ["note", "old"]


def test_the_files_of_an_empty_folder_appear_together_wherever_their_writing_is_killed(place: Path):
    def again() -> None:
        shutil.rmtree(place / "parts", ignore_errors=True)
        (place / "parts").mkdir()

    def write(folder: Path) -> None:
        with replaced_files(folder / "parts", ["a", "b"]) as written:
            for name, file in written.items():
                file.write_text(name)

    again()
    seen = []
    for number in kills(place, write, again):
        seen.append(names(recovered(place / "parts")))
        assert seen[-1] in ([], ["a", "b"]), number
        assert not [name for name in names(place) if name.endswith((".tmp", ".old"))], number
    assert [] in seen and ["a", "b"] in seen


def test_files_beside_others_and_in_the_working_folder_are_all_there_or_none(place: Path, monkeypatch: pytest.MonkeyPatch):
    (place / "empty").mkdir()
    for folder in ("old", "empty"):
        monkeypatch.chdir(place / folder)
        for target in (place / folder, Path()):
            before = names(place / folder)
            with pytest.raises(ZeroDivisionError), replaced_files(target, ["a", "b"]) as written:
                written["a"].write_text(str(1 / 0))
            assert names(place / folder) == before
            with replaced_files(target, ["a", "b"]) as written:
                for file in written.values():
                    file.write_text("new")
            assert names(place / folder) == sorted({*before, "a", "b"})
    assert (place / "old/content").read_text() == "old"


def test_a_folder_that_another_process_fills_first_is_kept(place: Path):
    told = pytest.raises(DataError, match="another process has just filled")
    with told, _filled_before_the_lock(place / "parts"), replaced_files(place / "parts", ["a"]) as written:
        written["a"].touch()
    assert names(place / "parts") == ["b"]


@contextmanager
def _filled_before_the_lock(folder: Path) -> Iterator[None]:
    make_folder = files.make_folder

    def filling(made: Path) -> None:  # the first that is made is the one above, just before the lock
        make_folder(made)
        make_folder(folder)
        (folder / "b").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "make_folder", filling)
        yield


def test_a_recovery_that_is_killed_is_taken_up_by_the_next(place: Path):
    def again() -> None:
        shutil.rmtree(place / "old", ignore_errors=True)
        left = place / ".old.99999.old"
        left.mkdir()
        (left / "content").write_text("old")
        (place / ".old.99999.tmp").mkdir(exist_ok=True)

    again()
    for _ in kills(place, lambda folder: recovered(folder / "old") and None, again):
        assert (recovered(place / "old") / "content").read_text() == "old"
        assert names(place) in (["note", "old"], [".old.lock", "note", "old"])


def test_a_file_is_old_or_new_wherever_its_replacement_is_killed(place: Path):
    def write(folder: Path) -> None:
        with replaced_file(folder / "note") as stream:
            stream.write("new")

    for number in kills(place, write, lambda: (place / "note").write_text("mine") and None):
        assert (place / "note").read_text() in ("mine", "new"), number
        write(place)
        assert (names(place), (place / "note").read_text()) == (["note", "old"], "new")


def test_leftovers_of_other_places_are_not_touched(place: Path):
    for name in (".other.12.tmp", ".old.x.tmp", ".old.12.bak", "old.12.tmp"):
        (place / name).write_text("kept")
    before = names(place)
    with replaced_folder(place / "old"):
        pass
    recovered(place / "old")
    assert names(place) == before


def test_a_place_that_is_being_written_is_refused_to_a_second_writer(place: Path):
    with replaced_folder(place / "old") as fresh:
        (fresh / "content").write_text("first")
        with pytest.raises(CheckpointError, match="old: expected no other process that writes it, got one"), replaced_folder(place / "old"):
            raise AssertionError("the block has begun")
        assert (recovered(place / "old") / "content").read_text() == "old"
        assert fresh.is_dir()  # whoever reads leaves the living alone
    assert (place / "old/content").read_text() == "first"
    with replaced_file(place / "note") as stream:
        stream.write("first")
        with pytest.raises(CheckpointError, match="note: expected no other process"), replaced_file(place / "note"):
            raise AssertionError("the block has begun")
    assert ((place / "note").read_text(), names(place)) == ("first", ["note", "old"])


def test_a_lock_whose_file_another_process_deletes_is_taken_on_the_new_file(place: Path, monkeypatch: pytest.MonkeyPatch):
    from relsift import locks

    take = locks._locked_connection
    calls = []

    def take_a_deleted_one(file: Path, *rest: Any) -> Any:
        connection = take(file, *rest)
        calls.append(file)
        if len(calls) == 1:
            file.unlink()  # as the holder before does, between our opening and our locking
        return connection

    monkeypatch.setattr(locks, "_locked_connection", take_a_deleted_one)
    with locked(place / "lock", busy="busy", remove=True):
        monkeypatch.undo()
        with pytest.raises(CheckpointError, match="busy"), locked(place / "lock", busy="busy", remove=True):
            raise AssertionError("two hold it")
    assert (len(calls), names(place)) == (2, ["note", "old"])


# ---- links, permissions, full disks, names


def test_a_link_to_a_file_stays_and_permissions_stay(place: Path):
    (place / "link").symlink_to("note")
    (place / "note").chmod(0o640)
    with replaced_file(place / "link") as stream:
        stream.write("new")
    assert (place / "link").is_symlink()
    assert ((place / "note").read_text(), stat.S_IMODE((place / "note").stat().st_mode)) == ("new", 0o640)
    mask = os.umask(0o027)
    try:
        with replaced_file(place / "fresh") as stream:
            stream.write("new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((place / "fresh").stat().st_mode) == 0o640


def test_a_pipe_is_written_to_and_not_replaced(place: Path):
    os.mkfifo(place / "pipe")
    end = os.open(place / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with replaced_file(place / "pipe") as stream:
        stream.write("through")
    assert os.read(end, 100) == b"through"
    os.close(end)
    assert stat.S_ISFIFO((place / "pipe").stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
@pytest.mark.parametrize("write", [replaced_file, open_output])
def test_a_full_disk_is_named(write: Callable[[Path], Any]):
    full = Path("/dev/full")
    with pytest.raises(OutputError, match=r"^/dev/full: expected to write on, got No space left on device"), write(full) as stream:
        stream.write("x" * 100_000)
    assert full.is_char_device()


def test_long_names_and_loops_are_no_obstacle_or_named(place: Path):
    long = "漢" * 80  # 240 bytes: too long for a name with an addition
    with replaced_file(place / long) as stream:
        stream.write("x")
    assert names(place) == ["note", "old", long]
    with pytest.raises(DataError, match="expected a place to write to, got File name too long"), replaced_file(place / ("x" * 300)):
        pass
    (place / "loop").symlink_to("loop")
    with pytest.raises(DataError, match="loop: expected a place to write to, got Too many levels"), replaced_file(place / "loop"):
        pass


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [{"a": float("-inf")}]])
def test_json_holds_no_number_that_json_does_not_have(value: object, place: Path):
    with pytest.raises(DataError, match="expected finite numbers"):
        to_json(value)
    with pytest.raises(DataError):
        files.write_json(place / "note", value)
    assert (place / "note").read_text() == "mine"


def test_a_minus_is_no_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"^--out: -: expected the name of a file or folder, got '-'; .* /dev/stdout"):
        check_output(Path("-"), [], option="--out")


def test_a_link_to_a_pipe_is_written_to(tmp_path: Path):
    """As /dev/stdout is one: the name that the system gives for what it leads to cannot be opened."""
    reading, writing = os.pipe()
    try:
        link = tmp_path / "stdout"
        link.symlink_to(f"/proc/self/fd/{writing}")
        with replaced_file(link) as stream:
            stream.write("Ada")
        assert os.read(reading, 10) == b"Ada"
    finally:
        os.close(reading)
        os.close(writing)
