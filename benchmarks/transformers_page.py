"""The parts of docs/results.md on transformers and on joint models, from benchmarks/results/encoders and benchmarks/results/joint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

from official_page import RESULTS, TITLES, over_seeds, setting, table
from systems_page import machines

from relsift.errors import DataError
from relsift.experiments.comparison import compare_systems
from relsift.experiments.encoders import SYSTEMS as WITH_ENCODER
from relsift.experiments.grid import load_results
from relsift.experiments.joint import SYSTEMS as JOINT
from relsift.experiments.joint_layers import SYSTEMS as LAYERS
from relsift.experiments.joint_parts import SYSTEMS as PARTS
from relsift.experiments.result import END_TO_END, Results
from relsift.experiments.system import MTL_TAG, System
from relsift.report.wording import interval, points, with_deviation

SPEED = RESULTS / "encoders" / "speed.json"
ENCODERS, JOINT_FOLDER = RESULTS / "encoders", RESULTS / "joint"
TRANSFORMERS = {  # ending of the folder -> what reads the text
    "": "all-MiniLM-L6-v2, 22.7 million weights", "-mpnet": "all-mpnet-base-v2, 109 million weights",
    "-e5": "multilingual-e5-small, 74 million weights, 53 million of them its table of pieces",
}  # fmt: skip
OTHERS = (*(replace(part, title=f"SpERT.MT, frozen, {part.title}") for part in PARTS), *LAYERS)
JOINT_SYSTEMS = (*JOINT, *(system for system in OTHERS if system.name not in {one.name for one in JOINT}))
CONVENTIONS = (
    ("entities", "micro"), ("relations, strict", "micro"), ("relations, strict", "macro"), ("relations, boundaries", "micro"),
    ("relations of gold entities", "micro"),
)  # fmt: skip


def page() -> list[str]:
    lines = ["## With a transformer", "", words("encoders.md"), ""]
    for title, results in grids(ENCODERS, WITH_ENCODER):
        lines += [f"### {title}", "", setting(results), "", encoder_table(results), "", machines(results), ""]
        if (folds := ENCODERS / f"{results.plan.data}-folds").is_dir() and title.endswith(TRANSFORMERS[""]):
            lines += [f"#### {results.plan.data}, five folds", "", folds_table(load_results(folds, WITH_ENCODER)), ""]
    lines += speed_table()
    if not JOINT_FOLDER.is_dir():
        return lines
    lines += ["## Joint models", "", words("joint.md"), ""]
    for title, results in grids(JOINT_FOLDER, JOINT_SYSTEMS):
        lines += [f"### Joint models, {title}", "", setting(results), "", joint_table(results), "", machines(results), ""]
    return lines


def grids(folder: Path, systems: tuple[System, ...]) -> Iterator[tuple[str, Results]]:
    """(corpus and transformer, grid) of each folder `CORPUS` or `CORPUS-TRANSFORMER`, in the order of the page."""
    for corpus, title in TITLES.items():
        for ending, transformer in TRANSFORMERS.items():
            if (place := folder / f"{corpus}{ending}").is_dir():
                yield f"{title}, {transformer}", load_results(place, systems)


def words(name: str) -> str:
    return (RESULTS / name).read_text(encoding="utf-8").strip()


def encoder_table(results: Results) -> str:
    rows = []
    for system in computed(results):
        development = over_seeds(results, system, lambda cell: cell.development.micro.f1)
        test = over_seeds(results, system, lambda cell: cell.test.micro.f1)
        title = f"{system.title} ¹" if in_bfloat16(results, system) else system.title
        rows.append([title, development, test, *against(results, system), *cost(results, system)])
    head = ["system", "development", "test micro F1", f"against {MTL_TAG.title}", "95 % interval", "p", "seeds", "s an epoch", "parameters"]
    note = "\n\n¹ Trained in bfloat16." if any(in_bfloat16(results, system) for system in computed(results)) else ""
    return table(head, rows) + note


def folds_table(results: Results) -> str:
    """Means over folds, and differences over sentences and over folds."""
    rows = []
    for system in computed(results):
        values = [cell.test.micro.f1 for cell in results.of(system)]
        row = [system.title, with_deviation(fmean(values), stdev(values))]
        if system.name == MTL_TAG.name:
            rows.append([*row, "", "", "", "", ""])
            continue
        tested = compare_systems(results.of(system), results.of(MTL_TAG))
        over_folds = "" if tested.fold_interval is None else interval(tested.fold_interval)
        won = f"{tested.folds_won()[0]} of {len(tested.folds)}"
        rows.append([*row, f"**{points(tested.difference)}**", interval(tested.interval), f"{tested.p_value:.4f}", over_folds, won])
    head = ["system", "test micro F1 ± over folds", f"against {MTL_TAG.title}", "95 % interval", "p", "interval over folds", "better in"]
    return table(head, rows)


def speed_table() -> list[str]:
    """What benchmarks/encoder_speed.py measured."""
    record = json.loads(SPEED.read_text(encoding="utf-8"))
    rows = []
    for row in record["figures"]:
        rates = [row.get(f"prediction_{threads}_{precision}") for precision in ("float32", "bfloat16") for threads in (1, 2)]
        shown = [f"{rate['sentences_a_second']:,.0f}" if rate else "–" for rate in rates]
        first, later = row["seconds_of_epochs"]
        pairs = f"{row['prediction_1_float32']['pairs_a_second']:,.0f}"
        weights, memory = f"{row['parameters'] / 1e6:.1f} M", f"{row['memory_training']:,}"
        rows.append([row["title"], f"{first:.0f}, {later:.0f}", *shown, pairs, weights, memory])
    head = [
        "system", "s of the first epoch, and of later ones", "sentences/s, 1 thread", "2 threads", "bfloat16, 1 thread", "2 threads",
        "pairs/s, 1 thread", "parameters", "MiB in training",
    ]  # fmt: skip
    cpu = record["machine"]["cpu"]
    about = (
        f"On CoNLL04, an otherwise idle machine ({cpu}): training on one thread in float32, prediction of the test part from sentences "
        f"to scores, and the peak memory of the process. `{record['command']}` measured it on every fourth training sentence, so tables of "
        "words are smaller than in use."
    )
    return ["### Speed and memory", "", about, "", table(head, rows), ""]


def joint_table(results: Results) -> str:
    rows = []
    for system in computed(results):
        cells = [cell.extra[END_TO_END] for cell in results.of(system)]
        values = [[cell[key][average]["f1"] for cell in cells] for key, average in CONVENTIONS]
        scores = [with_deviation(fmean(one), stdev(one) if len(one) > 1 else None) for one in values]
        development = over_seeds(results, system, lambda cell: cell.development.micro.f1)
        rows.append([system.title, development, *scores, *cost(results, system)])
    head = [
        "system", "development, strict micro", "entities, micro", "relations: strict micro", "strict macro", "boundaries, micro",
        "of gold entities, micro", "seeds", "s an epoch", "parameters",
    ]  # fmt: skip
    return table(head, rows)


def in_bfloat16(results: Results, system: System) -> bool:
    return any(cell.config["training"]["precision"] == "bfloat16" for cell in results.of(system))


def computed(results: Results) -> list[System]:
    return [system for system in results.systems if results.of(system)]


def against(results: Results, system: System) -> list[str]:
    """Difference, interval and p; empty without cells to compare."""
    if system.name == MTL_TAG.name or not results.of(MTL_TAG):
        return ["", "", ""]
    try:
        tested = compare_systems(results.of(system), results.of(MTL_TAG))
    except DataError:
        return ["", "", ""]
    return [f"**{points(tested.difference)}**", interval(tested.interval), f"{tested.p_value:.4f}"]


def cost(results: Results, system: System) -> list[str]:
    cells = results.of(system)
    seeds = ", ".join(str(seed) for seed in results.seeds(system))
    if results.plan.folds > 1:
        seeds += f" (folds {', '.join(str(cell.fold) for cell in cells)} of {results.plan.folds})"
    return [seeds, f"{fmean(cell.seconds_per_epoch for cell in cells):.0f}", f"{cells[0].parameters / 1e6:.1f} M"]
