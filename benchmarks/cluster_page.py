"""Write the figures of docs/cluster.md from benchmarks/results/ray.json, which `ray_rates.py` makes.

    python benchmarks/cluster_page.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measure import write_between
from ray_rates import GIVEN, RAW, RESULTS

from relsift.report import markdown
from relsift.report.blocks import Table
from relsift.streaming.partition import MOST, size_of_partitions

PAGE = Path(__file__).parent.parent / "docs" / "cluster.md"
SIZES = {"10 million": 10_000_000, "10 billion": 10_000_000_000}  # sentences
CORES = 16  # of the machine in the column of times
# Assumptions, which the page states.
PRICE = 0.04  # dollars a core-hour in a cloud
WATTS = 10.0  # a busy core, with its share of the machine
ELECTRICITY = 0.30  # dollars a kilowatt-hour
HOUR, DAY, MILLION = 3600.0, 86_400.0, 1e6  # seconds, seconds, micro


def rate_table(cases: list[Mapping[str, Any]]) -> Table:
    rows = []
    for case in cases:
        plain, first = case["plain"], case["runs"][0]
        count = first["sentences"]
        cpu = plain["cpu"] / count
        rows.append((case["name"], "plain", f"{MILLION * cpu:,.0f}", f"{1 / cpu:,.0f}", "", "", "", "", "", ""))
        for run in case["runs"]:
            workers, sentences = run["workers"], run["sentences"]
            by_cpu = first["cpu_sentence"] / run["cpu_sentence"]
            by_wall = (sentences / run["wall"]) / (workers * first["sentences"] / first["wall"])
            rows.append((
                case["name"], f"--workers {workers}", f"{MILLION * run['cpu_sentence']:,.0f}", f"{1 / run['cpu_sentence']:,.0f}",
                f"{MILLION * others(run):,.0f}", f"{100 * by_cpu:.0f} %", f"{run['uss_mib']:,.0f}", f"{sentences / run['wall']:,.0f}",
                f"{100 * by_wall:.0f} %", f"{100 * run['busy_share']:.0f} %",
            ))  # fmt: skip
    head = (
        "case", "command", "CPU µs a sentence", "sentences in a CPU second", "CPU µs of Ray", "efficiency by CPU time", "MiB a worker",
        "sentences/s here", "efficiency by the clock here", "share of a processor",
    )  # fmt: skip
    return Table.of(head, rows, strong=("CPU µs a sentence",))


def others(run: Mapping[str, Any]) -> float:
    """CPU seconds a sentence of all but the workers: the command and Ray."""
    return float((run["cpu_all"] - run["cpu_workers"]) / run["sentences"])


def cost_table(cases: list[Mapping[str, Any]]) -> Table:
    rows = []
    for case in cases:
        run = max(case["runs"], key=lambda one: one["cpu_sentence"] + others(one))  # the dearest that was measured
        for name, count in SIZES.items():
            seconds = count * (run["cpu_sentence"] + others(run))
            read, written = (count * size / run["sentences"] for size in (case["bytes_in"], run["bytes_out"]))
            energy = seconds / HOUR * WATTS / 1000
            rows.append((
                case["name"], name, _short(seconds / HOUR), _time(seconds / CORES), _short(seconds / HOUR * PRICE),
                _short(energy), _short(energy * ELECTRICITY), _bytes(read), _bytes(written),
                f"{read / size_of_partitions(int(read), None):,.0f}",
            ))  # fmt: skip
    head = (
        "case", "sentences", "core-hours", f"time on {CORES} cores", "cloud, dollars", "kWh", "electricity, dollars", "input", "output",
        "partitions",
    )  # fmt: skip
    return Table.of(head, rows, strong=("core-hours",))


def _short(value: float) -> str:
    """Two digits."""
    if value >= 99.5:  # else "1e+02"
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"


def _time(seconds: float) -> str:
    for unit, size in (("days", DAY), ("hours", HOUR), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} seconds"


def _bytes(value: float) -> str:
    return f"{_short(value / 1e12)} TB" if value >= 1e12 else f"{_short(value / 1e9)} GB"


def sentences(content: Mapping[str, Any]) -> list[str]:
    figures, machine = content["figures"], content["machine"]
    starts, again, load = figures["starts"], figures["resume"], figures["load"]
    kinds = {"cluster": "a cluster on this machine", "worker": "its first worker with a model", "restart": "a worker that was killed"}
    ready = "; ".join(f"{kinds[name]} {one['wall']:.0f} s ({one['cpu']:.1f} s of CPU time)" for name, one in starts.items())
    sizes = " and ".join(f"{case['runs'][0]['sentences']:,} ({case['name']})" for case in figures["cases"])
    return [
        f"Measured with {sizes} sentences. *{GIVEN.capitalize()}*: sentences of 28 tokens and 4 entities, a model of the paper's size. "
        f"*{RAW.capitalize()}*: texts of two sentences, `demo-en`, which finds the entities. Sentences come again, so that words are found "
        "among the remembered ones more often than in new text. *Plain* is `relsift predict` without Ray, one process, its start not "
        "counted. CPU time of a sentence is the median over partitions, since the first one of a worker loads kernels. *Of Ray* is the "
        "CPU time of the command and of Ray's own processes: most of it runs by the clock and not by the work. Memory is that of a "
        "worker alone (without pages that processes share).",
        "",
        use(max(load), machine["cpus"]),
        "",
        f"Until ready: {ready}. Looking over {again['partitions']} finished partitions on `--resume` takes "
        f"{1000 * again['wall'] / again['partitions']:.0f} ms each.",
    ]


def use(load: float, cpus: int) -> str:
    plan = "CPU time depends little on other work: it is what to plan with, and what the costs below are computed from."
    if load <= cpus:
        return (
            f"**The machine** has {cpus} processors and had no other work. Two workers are less than twice as fast by the clock, because "
            f"the command and Ray's own processes need the same processors (last column). {plan}"
        )
    return (
        f"**The machine was busy** while this was measured: about {load:.0f} processes wanted its {cpus} processors, and a worker had only "
        "a share of one (last column). The three columns *here* and *share* show that share, which changed from run to run, and say "
        f"nothing about a machine of one's own. {plan} A worker alone on a core predicts as many sentences a second as in a CPU second."
    )


def assumptions() -> list[str]:
    return [
        "**What a large corpus costs**, by the CPU time above (the dearest run of each case). Assumed, and not measured: "
        f"{PRICE:g} dollars a core-hour in a cloud; {WATTS:g} W a busy core with its share of the machine; "
        f"{ELECTRICITY:.2f} dollars a kWh. "
        "Costs grow with the number of sentences, since partitions do not depend on one another. All cores are busy, disks keep up, and "
        "sentences are like the measured ones. Twice the tokens or the pairs cost up to twice as much. Starts and "
        "restarts of workers are not in the table: they are seconds a worker. "
        f"The largest partitions have {MOST >> 20} MiB, so a worker that dies loses minutes at most.",
    ]


def main() -> None:
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    cases, machine = content["figures"]["cases"], content["machine"]
    lines = [
        "", *sentences(content), "", markdown.table(rate_table(cases)), "", *assumptions(), "", markdown.table(cost_table(cases)), "",
        f"Measured on {machine['date']} on {machine['cpu']}, {machine['cpus']} processors, with Python {machine['python']}, torch "
        f"{machine['torch']} and Ray {machine['ray']}, by `{content['command']}`.", "",
    ]  # fmt: skip
    write_between(("<!-- rates -->", "<!-- end of rates -->"), PAGE, "\n".join(lines))


if __name__ == "__main__":
    main()
