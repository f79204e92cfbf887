"""Build the source distribution and the wheel: python .ci/dist.py FOLDER [URL]

A package index shows the README away from the repository, where relative links lead nowhere. With URL, the public address of the
repository (https://HOST/OWNER/NAME), links and pictures become absolute, and the project's URLs name it. Without it they stay as they are.
The work is done in a copy: nothing changes in the repository. Needs the pinned setuptools, and no network.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BRANCH = "main"
PICTURES = (".png", ".svg")
_LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")  # a target without a scheme: a path of the repository
_NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv*", "demo-out", "runs", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"
)


def absolute_links(markdown: str, url: str) -> str:
    """The text with every relative link led to the repository: pages as they are shown there, pictures as files."""

    def target(link: re.Match[str]) -> str:
        kind = "raw" if link[2].endswith(PICTURES) else "blob"
        return f"{link[1]}{url}/{kind}/{BRANCH}/{link[2]}{link[3]}"

    return _LINK.sub(target, markdown)


def build(out: Path, url: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="relsift-dist-") as scratch:
        copy = Path(scratch) / "relsift"
        shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
        if url is not None:
            readme, project = copy / "README.md", copy / "pyproject.toml"
            readme.write_text(absolute_links(readme.read_text(encoding="utf-8"), url), encoding="utf-8")
            urls = f'[project.urls]\nRepository = "{url}"\nDocumentation = "{url}/blob/{BRANCH}/docs/guide.md"\n'
            urls += f'Changelog = "{url}/blob/{BRANCH}/CHANGELOG.md"\nIssues = "{url}/issues"\n'
            project.write_text(project.read_text(encoding="utf-8").replace("[project.urls]\n", urls), encoding="utf-8")
        out.mkdir(parents=True, exist_ok=True)
        # The hooks of PEP 517, without a package of their own to call them.
        for hook in ("build_sdist", "build_wheel"):
            code = f"import sys; from setuptools.build_meta import {hook}; {hook}(sys.argv[1])"
            subprocess.run([sys.executable, "-c", code, str(out.resolve())], cwd=copy, check=True, stdout=subprocess.DEVNULL)
    for file in sorted(out.glob("relsift-*")):
        print(file)


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2 or (len(arguments) == 2 and not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", arguments[1])):
        print(__doc__, file=sys.stderr)
        return 2
    build(Path(arguments[0]), arguments[1] if len(arguments) == 2 else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
