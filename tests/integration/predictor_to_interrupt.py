"""Predictions that are interrupted, for `test_predict_stream.py`.

`MODEL` takes orders, one JSON object a line: `arguments` of `relsift predict MODEL`, the `signal` to send as soon as the
file `watch` has so many `bytes`, what to give as standard `input` (which is then left open: a pipe that never ends). Every prediction is a
process of its own, forked, since importing torch takes longer than predicting. Answers with exit status and standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

import relsift.extractor  # noqa: F401  (imports what the children need)
from relsift.cli.main import main
from relsift.streaming import predict

predict.SENTENCES_AT_ONCE = 8  # many blocks in a small file
SECONDS = 30  # to give up after


def become(arguments: list[str], stdin: int, stderr: int) -> NoReturn:
    os.dup2(stdin, 0)
    os.dup2(stderr, 2)
    sys.argv = ["relsift", "predict", *arguments]
    main()
    sys.exit(0)


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else -1


def carry_out(model: str, order: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as errors:
        end, feed = os.pipe()
        child = os.fork()
        if not child:
            os.close(feed)
            become([model, *order["arguments"]], end, errors.fileno())
        os.write(feed, order.get("input", "").encode())
        deadline = time.monotonic() + SECONDS
        done, status = 0, 0
        sent = "signal" not in order
        while not done and time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and not sent and size(Path(order["watch"])) >= order["bytes"]:
                os.kill(child, signal.Signals[order["signal"]])
                sent = True
            time.sleep(0.0002)
        if not done:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(feed)
        os.close(end)
        errors.seek(0)
        return {"status": os.waitstatus_to_exitcode(status) if done else "hangs", "errors": errors.read()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(carry_out(sys.argv[1], json.loads(line))), flush=True)
