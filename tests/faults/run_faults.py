"""Break things on purpose, for some eight minutes on two cores, and write what came of it to benchmarks/results/faults.json.

    python tests/faults/run_faults.py [--jobs 2] [--scale 1.0] [--seed 0] [--minutes N] [--only inputs,files,…] [--match TEXT]
                                   [--more FOLDER]

--scale multiplies the numbers of trials. --minutes begins no part later than that. --only: inputs, files, kills, places, options. --match:
of these, the parts whose name holds the text, such as "on the disk". --more names folders whose subfolders `in` hold further inputs. The
same seed draws the same mutations and the same moments. On a fault, a line names the trial, and the exit status is 1.
benchmarks/faults_page.py writes the page from the figures. `test_faults_short.py` runs a few trials of every kind in the normal tests.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "unit/corpora"), str(HERE.parents[1] / "benchmarks")]

import bad_places  # noqa: E402
import broken_inputs  # noqa: E402
import damaged_files  # noqa: E402
import kills  # noqa: E402
import odd_options  # noqa: E402
from fault_trials import Tally, prepare_imports, seeded  # noqa: E402
from measure import machine  # noqa: E402

from relsift.files import write_json  # noqa: E402
from relsift.json_text import read_json  # noqa: E402

RESULT = HERE.parents[1] / "benchmarks/results/faults.json"
SECTIONS = ("inputs", "files", "kills", "places", "options")
# Trials of one source, flips of one file, kills of one command, rounds of one command, options.
COUNTS = {"inputs": 40, "files": 6, "kills": 30, "places": 3, "options": 400}


def _counting(trial: Callable[..., None], *what: Any, **more: Any) -> Tally:
    tally = Tally()
    trial(*what, tally, **more)
    return tally


def parts(place: Path, sections: set[str], scale: float, seed: int, more: list[Path]) -> Iterator[tuple[str, Callable[[], Tally]]]:
    """What can be done side by side: a name and the work."""
    counts = {name: max(1, round(scale * count)) for name, count in COUNTS.items()}
    if "files" in sections:
        damaged_files.make_all(place / "files", has_transformer=damaged_files.has_transformers())
        for stand in damaged_files.STANDS:
            if (place / "files" / stand.folder).is_dir():
                flips = {"flips": counts["files"], "seed": seed}
                yield f"files: {stand.name}", partial(_counting, damaged_files.try_stand, stand, place / "files", **flips)
    if sections & {"kills", "places"}:
        kills.make_inputs(place / "works")
        for work in kills.WORKS:
            for name, test in (("kills", kills.try_work), ("places", bad_places.try_work)):
                if name in sections:
                    yield f"{name}: {work.name}", partial(_counting, test, work, place / "works", count=counts[name], seed=seed)
    if "options" in sections:
        yield "options", partial(_counting, odd_options.try_options, place / "options", count=counts["options"], seed=seed)
    if "inputs" in sections:
        for source in broken_inputs.sources(*more):
            number = {"count": counts["inputs"], "seed": seed}
            yield f"inputs: {source.name}", partial(_counting, broken_inputs.try_source, source, place / "inputs", **number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--match", default="")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--more", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    prepare_imports()
    total, started = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="relsift-faults-") as folder:
        work = list(parts(Path(folder), set(options.only.split(",")), options.scale, options.seed, options.more))
        work = [(name, part) for name, part in work if options.match in name]
        if not work:
            parser.error(f"--match: expected a text in the name of a part of {options.only}, got {options.match!r}")
        seeded(options.seed, "order").shuffle(work)  # so that what --minutes leaves out is of all kinds
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("fork")) as pool:
            until = None if options.minutes is None else started + 60 * options.minutes
            running = {pool.submit(_unless_late, one, until): name for name, one in work}
            left = len(running)
            for future in as_completed(running):
                if (tally := future.result()) is not None:
                    left -= 1
                    total.add(tally)
                    print(f"{running[future]}: {sum(tally.trials.values())} trials, {len(tally.faults)} faults", flush=True)
                _save(options, total, left, (time.monotonic() - started) / 60)  # each time, so that a kill loses one part
    print(f"{sum(total.trials.values())} trials, {len(total.faults)} faults; written to {options.out}")
    return 1 if total.faults else 0


def _unless_late(part: Callable[[], Tally], until: float | None) -> Tally | None:
    return part() if until is None or time.monotonic() < until else None


def _save(options: argparse.Namespace, total: Tally, left: int, minutes: float) -> None:
    """Write the run in the place of an earlier one of the same sections, seed and --match; other runs stay."""
    runs = read_json(options.out)["runs"] if options.out.is_file() else []
    mine = set(options.only.split(","))
    same = (options.seed, options.match)
    runs = [run for run in runs if not (mine & set(run["sections"]) and (run["seed"], run.get("match", "")) == same)]
    command = f"python tests/faults/run_faults.py --only {options.only} --scale {options.scale:g} --seed {options.seed}"
    command += f" --match {shlex.quote(options.match)}" if options.match else ""
    facts = {"command": command, "sections": sorted(mine), "seed": options.seed, "minutes": round(minutes, 1)}
    facts |= {"match": options.match} if options.match else {}
    facts |= {"parts_left_out": left, "machine": machine()}
    write_json(options.out, {"runs": [*runs, facts | total.to_json()]})


if __name__ == "__main__":
    sys.exit(main())
