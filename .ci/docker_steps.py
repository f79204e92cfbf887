"""Run the steps of the Dockerfile without Docker, in a temporary folder: python .ci/docker_steps.py [--reuse VENV]

Every RUN and COPY is carried out as it stands, below the folder in place of `/`; then the health check has to succeed while ENTRYPOINT and
CMD run, a request has to be answered, and SIGTERM has to end it with status 0. Not carried out: FROM, USER, and RUN useradd, which
need a system of their own; torch comes from the index that pip is set up for.

--reuse VENV lets the new environment see the packages of another one (`.venv`), so that nothing large is downloaded. `.ci/run` does not
call this: it takes half a minute, which the tests need, and what it starts is tested by tests/integration/test_serve_real.py too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORT = 8000
_ABSOLUTE = re.compile(r"(?<![\w./])/(opt|src)\b")
_SECONDS = 120  # until the health check has to succeed


class Image:
    """A folder in place of the file system of an image."""

    def __init__(self, root: Path, reuse: Path | None) -> None:
        self.root, self.reuse = root, reuse
        self.environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        self.environment.pop("PYTHONPATH", None)
        self.folder = root
        self.commands: dict[str, list[str]] = {}

    def here(self, text: str) -> str:
        """With paths of the image below the folder."""
        return _ABSOLUTE.sub(lambda match: str(self.root / match[1]), text)

    def step(self, word: str, rest: str) -> None:
        if word == "RUN" and "useradd" not in rest:
            command = self.here(re.sub(r"--index-url \S+ ", "", rest))
            subprocess.run(["bash", "-ec", command], cwd=self.folder, env=self.environment, check=True)
            if "-m venv" in rest and self.reuse is not None:
                [site] = (self.root / "opt" / "relsift").glob("lib/python*/site-packages")
                [other] = self.reuse.glob("lib/python*/site-packages")
                (site / "reused.pth").write_text(f"{other}\n", encoding="utf-8")
        elif word == "COPY" and "--from" not in rest:
            *sources, target = rest.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, self.folder / target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
                else:
                    shutil.copy(ROOT / source, self.folder / target)
        elif word == "WORKDIR":
            self.folder = Path(self.here(rest))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for setting in rest.split():
                name, _, value = setting.partition("=")
                self.environment[name] = self.here(value).replace("$PATH", self.environment["PATH"])
        elif word in ("ENTRYPOINT", "CMD"):
            self.commands[word] = json.loads(rest)
        elif word == "HEALTHCHECK":
            self.commands[word] = json.loads(rest.partition("CMD ")[2])
        elif word not in ("FROM", "ARG", "USER", "EXPOSE", "RUN", "COPY"):
            raise SystemExit(f"Dockerfile: expected a step that this script knows, got {word}")

    def check(self) -> None:
        command = [*self.commands["ENTRYPOINT"], *self.commands["CMD"]]
        process = subprocess.Popen(command, cwd=self.root, env=self.environment)
        try:
            self._wait(process)
            body = json.dumps({"documents": [{"text": "Ida Holm and her sister own the ferry."}]}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{PORT}/v1/extract", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert json.load(answer)["results"][0]["entities"], "no entity found"
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(60)
        if status != 0:
            raise SystemExit(f"{command}: expected status 0 after SIGTERM, got {status}")

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        health, last = self.commands["HEALTHCHECK"], time.monotonic() + _SECONDS
        while subprocess.run(health, env=self.environment, stderr=subprocess.DEVNULL, check=False).returncode:
            if process.poll() is not None or time.monotonic() > last:
                raise SystemExit("the health check does not succeed")
            time.sleep(1)


def steps(dockerfile: str) -> list[tuple[str, str]]:
    """Word and rest of each step."""
    lines = [line for line in dockerfile.splitlines() if line and not line.startswith("#")]
    parts = [line.partition(" ") for line in "\n".join(lines).replace("\\\n", " ").splitlines()]
    return [(word, rest.strip()) for word, _, rest in parts]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    options.add_argument("--reuse", type=Path, help="virtual environment whose packages may be used")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="relsift-image-") as folder:
        image = Image(Path(folder), None if chosen.reuse is None else chosen.reuse.resolve())
        for word, rest in steps((ROOT / "Dockerfile").read_text(encoding="utf-8")):
            print("---", word, rest, flush=True)
            image.step(word, rest)
        image.check()
    print("--- the steps of the Dockerfile work", file=sys.stderr)


if __name__ == "__main__":
    main()
