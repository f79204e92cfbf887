"""Exit statuses and messages of the command line, and what it prints."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer

from relsift.cli import main as command_line
from relsift.cli.output import echo, echo_json, note, print_above
from relsift.errors import ConfigError, OutputError
from relsift.home import HOME_VARIABLE, home
from relsift.report.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [("[red]x[/] [/b]", "[red]x[/] [/b]"), ("\x1b[31m", "\\x1b[31m"), ("\x9b1m\x7f", "\\x9b1m\\x7f"),
     ("a\u202eb\u2066", "a\\u202eb\\u2066"),
     ("a\nb\tc", "a\\nb\\tc"), ("\udcff", "\\udcff"),
     ("关系 e\u0301 \U0001f469\u200d\U0001f52c", "关系 e\u0301 \U0001f469\u200d\U0001f52c")],
)  # fmt: skip
def test_what_is_no_visible_text_is_shown_as_an_escape_and_the_rest_stays(text: str, shown: str):
    assert printable(text) == shown


def test_every_way_to_print_escapes_text(capsys: pytest.CaptureFixture[str]):
    echo("\x1b[1m", "[b]")
    note("a\nnote: b")
    echo_json({"a": "\x1b\u202e"})
    out, err = capsys.readouterr()
    assert out == '\\x1b[1m\n[b]\n{\n "a": "\\u001b\u202e"\n}\n'
    assert err == "note: a\\nnote: b\n"


def test_a_line_above_a_bar_is_text_and_no_markup():
    import io

    from rich.console import Console

    stream = io.StringIO()
    print_above(Console(file=stream, width=40), "[red]x[/] \x1b[31m")
    assert stream.getvalue() == "[red]x[/] \\x1b[31m\n"


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (OutputError("f: expected to write on, got x"), 1, "f: expected to write on, got x"),
        (ConfigError("a\nb\x1b"), 2, "a b\\x1b"),
        (PermissionError(errno.EACCES, "Permission denied", "dir/f"), 2, "dir/f: expected a file or folder that can be read and written, "
         "got Permission denied (check its permissions and those of the folders above it)"),
        (OSError(errno.ENOSPC, "No space left on device"), 1,
         "expected to read and write what the command needs, got No space left on device"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "d\x1b"), 2, "d\\x1b: expected a file or folder that can be read and written, "
         "got Is a directory"),
        (MemoryError(), 2, "expected enough memory"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_a_status(error, status, told, monkeypatch, capsys):
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit) as stop:
        command_line.main()
    assert stop.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"relsift: error: {told}")


def test_a_usage_error_shows_what_was_typed_and_sends_no_control_code(monkeypatch, capsys):
    def fail(**_: object) -> None:
        raise typer.BadParameter("no \x1b[31moption")

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit) as stop:
        command_line.main()
    assert stop.value.code == 2
    assert "no \\x1b[31moption" in capsys.readouterr().err


def test_a_warning_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "app", lambda **_: warnings.warn("relsift: odd \x1b", stacklevel=1))
    with pytest.raises(SystemExit) as stop, warnings.catch_warnings():
        warnings.simplefilter("always")
        command_line.main()
    assert (stop.value.code, capsys.readouterr().err) == (0, "warning: odd \\x1b\n")


def test_without_a_home_folder_the_variable_is_named(monkeypatch):
    def unknown(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    monkeypatch.setattr(Path, "expanduser", unknown)
    with pytest.raises(ConfigError, match=rf"~/.cache/relsift: expected a user with a home folder, got none; set \${HOME_VARIABLE}"):
        home()


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "relsift", "--version"], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0
    assert done.stdout.startswith("relsift ")
