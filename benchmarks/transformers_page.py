"""The parts of docs/results on transformers and on joint models, from benchmarks/results/encoders and benchmarks/results/joint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from posixpath import relpath
from statistics import fmean, stdev

from official_page import RESULTS, TITLES, over_seeds, setting, table
from results_plots import Dot, Parts, over_seeds_dot, plot
from systems_page import machines

from relsift.errors import DataError
from relsift.experiments.comparison import SystemComparison, compare_systems
from relsift.experiments.encoders import SYSTEMS as WITH_ENCODER
from relsift.experiments.grid import load_results
from relsift.experiments.joint import SYSTEMS as JOINT
from relsift.experiments.joint_layers import SYSTEMS as LAYERS
from relsift.experiments.joint_parts import SPERT_MT
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
FROZEN_MT = "SpERT.MT, frozen, "
OTHERS = (*(replace(part, title=f"{FROZEN_MT}{part.title}") for part in PARTS), *LAYERS)
OF_PARTS = {part.name for part in PARTS}
JOINT_SYSTEMS = (*JOINT, *(system for system in OTHERS if system.name not in {one.name for one in JOINT}))
CONVENTIONS = (
    ("entities", "micro"), ("relations, strict", "micro"), ("relations, strict", "macro"), ("relations, boundaries", "micro"),
    ("relations of gold entities", "micro"),
)  # fmt: skip
AT_A_GLANCE = ("relations, strict", "entities")
Grids = Sequence[tuple[str, Results]]  # corpus and transformer, grid


def parts() -> Parts:
    """(page, mark) -> lines."""
    encoders = list(grids(ENCODERS, WITH_ENCODER))
    lines = []
    for title, results in encoders:
        lines += [f"### {title}", "", setting(results), "", encoder_table(results), "", machines(results), ""]
        if (folds := ENCODERS / f"{results.plan.data}-folds").is_dir() and title.endswith(TRANSFORMERS[""]):
            lines += [f"#### {results.plan.data}, five folds", "", folds_table(load_results(folds, WITH_ENCODER)), ""]
    joint = list(grids(JOINT_FOLDER, JOINT_SYSTEMS))
    tables = []
    for title, results in joint:
        tables += [f"### {title}", "", setting(results), "", joint_table(results, whole_systems(results)), "", machines(results), ""]
    of_parts = next(results for title, results in joint if results.plan.data == "conll04" and title.endswith(TRANSFORMERS[""]))
    return {
        ("transformers", "plot"): encoder_plot(encoders),
        ("transformers", "corpora"): lines,
        ("transformer_cost", "plot"): speed_plot(),
        ("transformer_cost", "table"): speed_table(),
        ("joint", "plot"): joint_plot(joint),
        ("joint", "best"): [best_joint(of_parts)],
        ("joint", "words"): words("joint.md"),
        ("joint", "corpora"): tables,
        ("spert_mt_parts", "plot"): parts_plot(of_parts),
        ("spert_mt_parts", "against"): [part_table(of_parts)],
        ("spert_mt_parts", "scores"): [joint_table(of_parts, [one for one in computed(of_parts) if one.name in OF_PARTS])],
    }


def encoder_plot(grids: Grids) -> Sequence[str]:
    """A row a system that two corpora or more have with the small transformer, a mark a corpus."""
    small = [(title.partition(" (")[0], results) for title, results in grids if not title.endswith(TRANSFORMERS["-mpnet"])]
    most = [system for system in WITH_ENCODER if sum(bool(results.of(system)) for _, results in small) > 1]
    marks = {}
    for corpus, results in small:
        marks[corpus] = {short(system.title): over_seeds_dot(results, system) for system in most if results.of(system)}
    return plot("transformers", marks, "test micro F1, %")


def short(title: str) -> str:
    """A system's title in a plot."""
    title = title.replace("the same, trained on", "the same, on")  # room for what follows
    return re.sub(r" on the (frozen|trained) (?:encoder|transformer)$", r", \1", title)


def speed_plot() -> Sequence[str]:
    figures = json.loads(SPEED.read_text(encoding="utf-8"))["figures"]
    marks = {
        precision: {short(row["title"]): Dot(row[f"prediction_1_{precision}"]["sentences_a_second"]) for row in figures}
        for precision in ("float32", "bfloat16")
    }
    return plot("transformer-cost", marks, "sentences a second in prediction, one thread", log=True)


def joint_plot(grids: Grids) -> Sequence[str]:
    """CoNLL04: relations (strict) and entities, a row a system, and the other transformers by their names."""
    marks: dict[str, dict[str, Dot]] = {"relations, strict": {}, "entities": {}}
    for title, results in grids:
        if results.plan.data == "conll04":
            transformer = title.partition(", ")[2]
            for system in whole_systems(results):
                row = short(system.title) if transformer == TRANSFORMERS[""] else f"{system.model}, {transformer.partition(',')[0]}"
                for key, rows in marks.items():
                    rows[row] = strict_dot(results, system, key)
    return plot("joint", marks, "micro F1 on the test part of CoNLL04, %")


def strict_dot(results: Results, system: System, key: str) -> Dot:
    values = [100 * cell.extra[END_TO_END][key]["micro"]["f1"] for cell in results.of(system)]
    return Dot.around(fmean(values), stdev(values) if len(values) > 1 else None)


def best_joint(results: Results) -> str:
    """The answer, as long as the grid grows: which system finds most."""
    systems = computed(results)
    best = max(systems, key=lambda system: strict_dot(results, system, "relations, strict").value)
    dot, seeds = strict_dot(results, best, "relations, strict"), len(results.seeds(best))
    whole = [system.title for system in systems[: systems.index(best) + 1] if not system.title.startswith("the same")]
    title = best.title.replace("the same", whole[-1], 1)
    spread = "" if dot.high is None else f" ± {dot.high - dot.value:.1f}"
    return (
        f"**On CoNLL04 with all-MiniLM-L6-v2 the highest strict micro F1 of relations is {dot.value:.1f}{spread}: {title} "
        f"({seeds} seed{'s' if seeds != 1 else ''}).**"
    )


def parts_plot(results: Results) -> Sequence[str]:
    """What SpERT.MT loses without each part, compared over the seeds that both have."""
    marks = {}
    for system, tested in against_whole(results):
        low, high = tested.interval
        marks[short(system.title.removeprefix(FROZEN_MT))] = Dot(100 * tested.difference, 100 * low, 100 * high)
    axis = "points of strict micro F1 against the whole SpERT.MT, CoNLL04"
    return plot("spert-mt-parts", {"": marks}, axis, zero=True)


def part_table(results: Results) -> str:
    rows = [
        [system.title, f"**{points(tested.difference)}**", interval(tested.interval), f"{tested.p_value:.4f}"]
        for system, tested in against_whole(results)
    ]
    return table(["system", "relations, strict micro F1, against the whole", "95 % interval", "p"], rows)


def against_whole(results: Results) -> Iterator[tuple[System, SystemComparison]]:
    """SpERT and SpERT.MT without each part, against SpERT.MT, on the frozen transformer."""
    for system in computed(results):
        if system.name in OF_PARTS and system.name != SPERT_MT.name:
            yield system, compare_systems(results.of(system), results.of(SPERT_MT))


def grids(folder: Path, systems: tuple[System, ...]) -> Iterator[tuple[str, Results]]:
    """(corpus and transformer, grid) of each folder `CORPUS` or `CORPUS-TRANSFORMER`, in the order of the page."""
    for corpus, title in TITLES.items():
        for ending, transformer in TRANSFORMERS.items():
            if (place := folder / f"{corpus}{ending}").is_dir():
                yield f"{title}, {transformer}", load_results(place, systems)


def whole_systems(results: Results) -> list[System]:
    """Those of a joint table: all but SpERT.MT without one of its parts, which have a page of their own."""
    return [system for system in computed(results) if system.name not in OF_PARTS or system.name in {one.name for one in JOINT}]


def words(name: str) -> list[str]:
    """The text of a file of benchmarks/results, whose links are those of a page in docs/, with links as docs/results needs them."""
    text = (RESULTS / name).read_text(encoding="utf-8").strip()
    return [re.sub(r"\]\((?![a-z]+:|#)([^)\s]+)\)", lambda link: f"]({relpath(link[1], 'results')})", text)]


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
    return [about, "", table(head, rows)]


def joint_overview() -> str:
    """CoNLL04 at a glance: a row a joint model and transformer, the one that finds most first."""
    found = {}
    for title, results in grids(JOINT_FOLDER, JOINT_SYSTEMS):
        for system in whole_systems(results) if results.plan.data == "conll04" else ():
            if not system.title.startswith("the same"):  # other training of the row above
                row = [f"[`{system.model}`](../models/{system.model}.md)", title.partition(", ")[2].partition(",")[0]]
                row.append("trained" if "trained" in system.title else "frozen")
                values = [[cell.extra[END_TO_END][key]["micro"]["f1"] for cell in results.of(system)] for key in AT_A_GLANCE]
                row += [with_deviation(fmean(one), stdev(one) if len(one) > 1 else None) for one in values]
                found[(*row, str(len(results.seeds(system))))] = fmean(values[0])
    rows = [list(row) for row in sorted(found, key=found.__getitem__, reverse=True)]
    return table(["model", "transformer", "it is", *AT_A_GLANCE, "seeds"], rows)


def joint_table(results: Results, systems: Sequence[System]) -> str:
    rows = []
    for system in systems:
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
