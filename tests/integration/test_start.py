"""What must answer at once loads nothing heavy: checked by what is loaded, not by the clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "numba", "sklearn", "scipy", "yaml", "rich", "safetensors", "ray", "ssl"}
COMMANDS = (
    [], ["--version"], ["train"], ["evaluate"], ["errors"], ["predict"], ["demo"], ["stats"], ["validate"], ["convert"], ["models"],
    ["formats"], ["doctor"], ["serve"], ["corpora"], ["corpora", "list"], ["corpora", "show"], ["corpora", "prepare"],
)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The top-level modules that `code` has loaded when it ends."""
    script = f"import atexit, sys\natexit.register(lambda: print('loaded:', *{{m.partition('.')[0] for m in sys.modules}}))\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import relsift")
    assert "relsift" in loaded
    assert not loaded & (HEAVY | {"pydantic", "typer"})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_loads_nothing_heavy(command: list[str]):
    arguments = ["relsift", *command] if command == ["--version"] else ["relsift", *command, "--help"]
    assert not loaded_by(f"sys.argv = {arguments!r}\nfrom relsift.cli.main import main\nmain()") & HEAVY


@pytest.mark.parametrize(
    "command",
    [["corpora", "list"], ["formats"], ["reproduce", "--help"], ["cv", "--help"], ["stats", "gazette-zh"], ["validate", "gazette-en"]],
    ids=" ".join,
)
def test_commands_about_data_and_the_help_of_experiments_do_without_torch(command: list[str]):
    assert "torch" not in loaded_by(f"sys.argv = {['relsift', *command]!r}\nfrom relsift.cli.main import main\nmain()")
