"""Write the table of docs/serving.md from benchmarks/results/serving.json, which `serve_load.py` makes.

    python benchmarks/serving_page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import write_between
from serve_load import CLIENTS, RESULTS, SERVERS, TEXTS

from relsift.report import markdown
from relsift.report.blocks import Table

PAGE = Path(__file__).parent.parent / "docs" / "serving.md"
NAMES = {"batched": "relsift serve", "unbatched": "without batches (--batch-work 0)", "plain": "plain handler"}


def load_table(loads: Sequence[Mapping[str, Any]]) -> Table:
    found = {(one["server"], one["text"], one["clients"]): one for one in loads}
    rows = []
    for text in TEXTS:
        for clients in CLIENTS:
            plain = found["plain", text, clients]
            for server in SERVERS:
                one = found[server, text, clients]
                numbers = [f"{one[name]:,.0f}" for name in ("p50", "p95", "p99")]
                rows.append((
                    text, clients, NAMES[server], f"{one['per_second']:,.0f}", f"{one['per_second'] / plain['per_second']:.1f}", *numbers,
                    f"{one['cpu']:.1f}",
                ))  # fmt: skip
    head = ("text", "clients", "server", "answers/s", "times the plain handler", "p50 ms", "p95 ms", "p99 ms", "CPU ms an answer")
    return Table.of(head, rows, strong=("times the plain handler",))


def sentences(content: Mapping[str, Any]) -> list[str]:
    figures, machine = content["figures"], content["machine"]
    stop, memory, sizes = figures["stop"], figures["memory"], figures["characters"]
    outcomes = stop["outcomes"]
    lost = outcomes.get("lost", 0) + outcomes.get("wrong", 0)
    others = sum(one["answers"] - one["outcomes"].get("200", 0) for one in figures["loads"])
    answered, sent_away = outcomes.get("200", 0), outcomes.get("503", 0)
    return [
        f"The short text has {sizes['short']} characters, the long one {sizes['long']:,}. Answers with another status than 200: {others}.",
        "",
        f"Told to stop under the load of {stop['clients']} clients, the service lost {lost} requests: {answered:,} were answered, "
        f"{sent_away:,} were sent away with status 503. The process ended with status {stop['exit_status']} after {stop['seconds']:.1f} s.",
        "",
        f"Memory of the process over {memory['minutes']:g} minutes and {memory['answers']:,} answers, with ever new words: "
        f"{memory['mib'][0]:.0f} MiB after a tenth of the time, {memory['mib'][-1]:.0f} MiB at the end.",
        "",
        f"Measured on {machine['cpu']}, {machine['cpus']} processors, one of them for the clients, by `{content['command']}`.",
    ]


def main() -> None:
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = ["", markdown.table(load_table(content["figures"]["loads"])), "", *sentences(content), ""]
    write_between(("<!-- load -->", "<!-- end of load -->"), PAGE, "\n".join(lines))


if __name__ == "__main__":
    main()
