"""relsift demo beside other files, after an interruption, and on a disk that is full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from relsift.cli.main import main
from relsift.config import RunConfig
from relsift.demo import MARK, demo_config
from relsift.files import locked

FILES = ("predictions.html", "predictions.jsonl", "run")
SMALL = {"word_size": 8, "filters": 4, "windows": (2,), "hidden": 8}


@pytest.fixture(autouse=True)
def _small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    config = demo_config("en")
    values = config.model_dump()
    values["model"] |= SMALL
    values["training"] |= {"epochs": 1}
    monkeypatch.setattr("relsift.demo.demo_config", lambda language: RunConfig.model_validate(values))


def demo(capsys: pytest.CaptureFixture[str], out: Path) -> tuple[int, str]:
    """Exit status and standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", "demo", "--out", str(out)])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
    return status, capsys.readouterr().err


def left(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith(".") and path.name != MARK)


def test_an_interrupted_demo_leaves_no_output_of_an_earlier_one_and_can_be_started_anew(capsys, tmp_path, monkeypatch):
    assert demo(capsys, tmp_path / "out")[0] == 0
    assert left(tmp_path / "out") == list(FILES)

    def interrupted(*arguments: object, **options: object) -> None:
        (tmp_path / "out/run").mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("relsift.demo.train_run", interrupted)
        status, err = demo(capsys, tmp_path / "out")
    assert status == 130 and "interrupted; the same command starts the demo anew" in err and "Traceback" not in err
    assert left(tmp_path / "out") == ["run"]
    assert demo(capsys, tmp_path / "out")[0] == 0
    assert left(tmp_path / "out") == list(FILES)


@pytest.mark.parametrize("name", FILES)
def test_what_no_demo_has_written_is_never_replaced(capsys, tmp_path, name):
    place = tmp_path / name if name != "run" else tmp_path / "run" / "thesis.txt"
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    (tmp_path / MARK).write_text('{"corpus": "of another program"}')
    status, err = demo(capsys, tmp_path)
    assert status == 2
    assert f"{tmp_path / name}: expected an earlier demo or nothing, got what no demo has written; use another --out" in err
    assert place.read_text() == "mine" and left(tmp_path) == [name]


def test_a_file_in_the_place_of_the_folder_is_refused(capsys, tmp_path):
    (tmp_path / "out").write_text("mine")
    status, err = demo(capsys, tmp_path / "out")
    assert status == 2 and "expected a folder to write to, got File exists; use another --out" in err


def test_two_demos_do_not_share_a_folder(capsys, tmp_path):
    with locked(tmp_path / ".demo.lock", busy="-"):
        status, err = demo(capsys, tmp_path)
    assert status == 2 and "expected no other demo at work there, got one" in err
    assert left(tmp_path) == []


def test_a_page_that_cannot_be_finished_is_not_there(capsys, tmp_path, monkeypatch):
    def half_a_page(gold: object, predicted: object, stream: object, **options: object) -> None:
        stream.write("<html><body>half")
        raise OSError(errno.ENOSPC, "No space left on device", "a page")

    monkeypatch.setattr("relsift.demo.write_comparison", half_a_page)
    status, err = demo(capsys, tmp_path)
    assert status != 0 and "Traceback" not in err
    assert left(tmp_path) == ["predictions.jsonl", "run"]
