"""What is built for a package index: the wheel works by itself, the source distribution can be tested, the README's links lead home."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from relsift import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "relsift"
URL = "https://forge.example/them/relsift"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def built(out: Path, *url: str) -> Path:
    command = [sys.executable, str(ROOT / ".ci" / "dist.py"), str(out), *url]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return out


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"), URL)


def metadata(folder: Path) -> str:
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return wheel.read(f"relsift-{__version__}.dist-info/METADATA").decode()


def files_below(folder: Path) -> list[Path]:
    """All files that a repository keeps: no caches."""
    made = {"__pycache__", "relsift.egg-info", ".hypothesis", ".DS_Store"}
    return [path for path in folder.rglob("*") if path.is_file() and not made & {*path.parts}]


def test_every_pattern_of_package_data_matches_a_file():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["relsift"]
    assert [pattern for pattern in patterns if not any(PACKAGE.glob(pattern))] == []


def test_every_file_of_the_package_is_in_the_wheel_and_the_wheel_works_by_itself(distributions, tmp_path):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        assert {path.relative_to(PACKAGE.parent).as_posix() for path in files_below(PACKAGE)} - set(wheel.namelist()) == set()
        wheel.extractall(tmp_path / "site")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from relsift.cli.main import main; main()"
    command = [sys.executable, "-c", code, str(tmp_path / "site"), "stats", "gazette-en"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path, env={"PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr
    assert "relations" in done.stdout


def test_the_source_distribution_holds_the_change_log_and_all_that_the_tests_read(distributions):
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE", "Makefile", "constraints.txt")]
    wanted += [path for folder in ("tests", "docs", "src") for path in files_below(ROOT / folder)]
    assert {path.relative_to(ROOT).as_posix() for path in wanted} - names == set()


def test_with_an_address_every_link_of_the_readme_is_absolute_and_the_project_names_it(distributions):
    text = metadata(distributions)
    assert f"Project-URL: Repository, {URL}\n" in text
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links and [link for link in links if not link.startswith("https://")] == []
    assert f"{URL}/raw/main/docs/images/demo-page.png" in links
    assert f"{URL}/blob/main/docs/guide.md" in links
    own = {link.removeprefix(f"{URL}/").partition("/main/")[2].partition("#")[0] for link in links if link.startswith(URL)}
    assert [path for path in own if not (ROOT / path).exists()] == []


def test_an_address_that_is_none_is_refused(tmp_path):
    done = subprocess.run([sys.executable, str(ROOT / ".ci" / "dist.py"), str(tmp_path), "forge.example"], capture_output=True, check=False)
    assert done.returncode == 2 and not list(tmp_path.iterdir())


def test_versions_and_classifiers_agree():
    assert PROJECT["project"]["version"] == __version__
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    pythons = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    assert pythons == ["3.11", "3.12", "3.13"]
