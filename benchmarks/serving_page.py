"""Write the figures of docs/serving.md from benchmarks/results/serving.json and serving_fuzz.json (`serve_load.py`, `serve_fuzz.py`).

    python benchmarks/serving_page.py
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import write_between
from serve_load import CLIENTS, RESULTS, SERVERS, TEXTS

from relsift.report import markdown
from relsift.report.blocks import Table

FUZZ = RESULTS.with_name("serving_fuzz.json")  # as in serve_fuzz.py, which needs packages that this does not
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
        f"{sent_away:,} were sent away with status 503. The process ended with status {stop['exit_status']} after {stop['seconds']:.1f} s."
        + (f" Measured by {stop['command']}." if "command" in stop else ""),
        "",
        f"Memory of the process over {memory['minutes']:g} minutes and {memory['answers']:,} answers, with ever new words: "
        f"{memory['mib'][0]:.0f} MiB after a tenth of the time, {memory['mib'][-1]:.0f} MiB at the end."
        + (f" Measured by `{memory['command']}`, beside other work." if "command" in memory else ""),
        "",
        f"Measured on {machine['cpu']}, {machine['cpus']} processors, one of them for the clients, by `{content['command']}`.",
    ]


def fuzzed(content: Mapping[str, Any]) -> list[str]:
    """One paragraph. Raises SystemExit for a run with faults, which is no result to show."""
    figures = content["figures"]
    if figures["faults"]:
        raise SystemExit(f"{FUZZ}: expected a run without faults, got {figures['faults']}; mend them and run serve_fuzz.py again")
    total: Counter[str] = Counter()
    for found in figures["statuses"].values():
        total.update(found)
    wrong = sum(count for status, count in total.items() if status.startswith("4"))
    other = total.total() - total["200"] - wrong
    return [
        f"Of {figures['requests']:,} requests none was answered with a status of 5xx, and none was left without an end: {total['200']:,} "
        f"were answered with 200, {wrong:,} with 4xx. The other {other:,} were redirected, or were no HTTP, on which the service hangs up."
        f" The slowest answer took {figures['slowest_seconds']:.1f} s, on a machine that was busy with other work.",
        "",
        f"Measured by `{content['command']}`.",
    ]


def main() -> None:
    fuzz = json.loads(FUZZ.read_text(encoding="utf-8"))
    write_between(("<!-- fuzz -->", "<!-- end of fuzz -->"), PAGE, "\n".join(["", *fuzzed(fuzz), ""]))
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = ["", markdown.table(load_table(content["figures"]["loads"])), "", *sentences(content), ""]
    write_between(("<!-- load -->", "<!-- end of load -->"), PAGE, "\n".join(lines))


if __name__ == "__main__":
    main()
