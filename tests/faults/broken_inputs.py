"""Mutated files for every reader: each command reads them right, or ends with one line; what goes missing is counted."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_trials import BAD_INPUT, LONGEST_LINE, Command, Outcome, Tally, batches, run, seeded
from mutations import BINARY, COUNT_KEEPING, MUTATIONS

KIND = "mutated inputs"
BATCH = 40  # trials of one child
READERS_OF_CONCEPTS = ("pubtator", "bioc", "docred")
# With which relations go, uncounted.
LARGER_UNITS = ("files", "documents", "sentences", "texts", "passages", "records", "tasks", "unknown key", "broken lines")


@dataclass(frozen=True)
class Source:
    """Whole files of one format."""

    name: str
    files: Mapping[str, bytes]
    format: str = ""  # name of the reader; empty: recognised by what it is


@dataclass(frozen=True)
class Trial:
    """One mutated file among whole ones."""

    name: str
    mutation: str
    folder: Path
    data: str
    trains: bool


def sources(*more: Path) -> list[Source]:
    """The samples of all readers, and the files of further folders: the folders below `more` that are called `in`."""
    from relsift.registry import READERS, find

    result = []
    for name in READERS:
        samples = find("reader", name).samples
        result.append(Source(name, {file: as_bytes(text) for file, text in samples.items()}, name))
    for folder in sorted(path for top in more for path in top.rglob("in") if path.is_dir()):
        files = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
        if files:
            result.append(Source(folder.parent.name, files))
    return result


def as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def trials(source: Source, count: int, place: Path, seed: int) -> Iterator[Trial]:
    """Write mutated copies; so many, over all files and mutations of the source."""
    is_text = source.format not in ("spacy", "store")
    ways = [(file, way) for way in (MUTATIONS if is_text else BINARY) for file in source.files]
    order = seeded(seed, source.name)
    order.shuffle(ways)
    number = 0
    for attempt in range(4 * count):
        file, way = ways[attempt % len(ways)]
        name = f"{source.name}/{file}/{way}/{attempt}"
        changed = MUTATIONS[way](source.files[file], seeded(seed, name))
        if changed is None or changed == source.files[file]:
            continue
        folder = place / f"{source.name}-{number}"
        folder.mkdir(parents=True)
        for other, content in source.files.items():
            (folder / other).write_bytes(changed if other == file else content)
        yield Trial(name, way, folder, _data(source, folder, number), number % 4 == 0)
        number += 1
        if number == count:
            return


def _data(source: Source, folder: Path, number: int) -> str:
    """Every third time the format is recognised, as most users have it."""
    return f"{folder}" if not source.format or number % 3 == 2 else f"{source.format}:{folder}"


def commands(data: str, out: Path, *, trains: bool, has_parts: bool) -> list[Command]:
    skip = ("--on-error", "skip")
    stopping, skipping = (out / (name if has_parts else f"{name}.jsonl") for name in ("stop", "skip"))
    result: list[Command] = [
        ("validate", data, "--json"), ("stats", data, "--json"), ("convert", data, stopping), ("stats", f"native:{stopping}", "--json"),
        ("validate", data, "--json", *skip), ("convert", data, skipping, *skip), ("stats", f"native:{skipping}", "--json"),
    ]  # fmt: skip
    if trains:
        options = ("--model", "type_prior", "--set", "training.threads=1")
        result.append(("train", "--data", data, "--dev", data, *options, "--out", out / "run"))
    return result


def try_source(source: Source, place: Path, tally: Tally, *, count: int, seed: int = 0) -> None:
    """Mutate the source so many times, and judge what the commands do."""
    whole = place / f"{source.name}-whole"
    whole.mkdir(parents=True)
    for file, content in source.files.items():
        (whole / file).write_bytes(content)
    base = run([[("validate", _data(source, whole, 0), "--json", "--on-error", "skip")]])[0][0]
    expected = _json(base) if base.status == 0 else {}
    has_parts = bool(expected) and expected["sentences"].keys() != {"all"}
    for group in batches(list(trials(source, count, place, seed)), BATCH):
        tasks = [commands(trial.data, _out(trial), trains=trial.trains, has_parts=has_parts) for trial in group]
        for trial, outcomes in zip(group, run(tasks)):
            tally.watch(outcomes)
            tally.count(KIND, outcomes[0].status == BAD_INPUT)
            for what, outcome in judged(outcomes, trial, expected):
                tally.fault(KIND, what, trial.name, outcome)
            if not any(fault["trial"] == trial.name for fault in tally.faults):
                shutil.rmtree(trial.folder)
                shutil.rmtree(_out(trial))
    shutil.rmtree(whole)


def _has_all_parts(validated: Outcome) -> bool:
    """A part without a sentence is written, and cannot be read again."""
    return all(_json(validated).get("sentences", {"": 0}).values())


def _out(trial: Trial) -> Path:
    folder = trial.folder.with_name(f"{trial.folder.name}-out")
    folder.mkdir(exist_ok=True)
    return folder


def _json(outcome: Outcome) -> dict[str, Any]:
    return dict(json.loads(outcome.out)) if outcome.out.startswith("{") else {}


def judged(outcomes: list[Outcome], trial: Trial, whole: Mapping[str, Any]) -> Iterator[tuple[str, Outcome]]:
    """What is wrong with the commands on one mutated input. Args: whole: what `validate` says of the file before."""
    validated, counted, converted, again, skipping, skipped, read = outcomes[:7]
    for outcome in outcomes:
        if outcome is again and (converted.status != 0 or not _has_all_parts(validated)):
            continue
        if outcome is read and (skipped.status != 0 or not _has_all_parts(skipping)):
            continue
        if what := outcome.fault(0, BAD_INPUT):
            yield what, outcome
            return
    findings, statistics = _json(validated), _json(counted)
    told = [*findings.get("errors", ()), *(entry["reason"] for entry in findings.get("dropped", ()))]
    if (longest := max(map(len, told), default=0)) > LONGEST_LINE:
        yield f"a finding of {longest} characters", validated
    if counted.status == 0:
        if converted.status != 0:
            yield "stats reads it, convert does not", converted
        elif _has_all_parts(validated) and numbers(_json(again)) != numbers(statistics):
            yield f"convert wrote {numbers(_json(again))} of {numbers(statistics)}", again
        if not findings.get("valid"):
            yield "stats reads it, validate finds errors", validated
        if (one := kept(findings)) != (other := kept(_json(skipping))):
            yield f"--on-error skip reads {other} of {one} where nothing is broken", skipping
    elif validated.status != BAD_INPUT:
        yield "validate finds nothing, stats does not read it", counted
    if _has_all_parts(skipping) and skipped.status == 0 and kept(_json(skipping))[:1] != _sentences(_json(read)):
        yield f"--on-error skip keeps {kept(_json(skipping))}, writes {numbers(_json(read))}", read
    if trial.mutation in COUNT_KEEPING and whole and skipping.status == 0:
        of_concepts = trial.name.partition("/")[0] in READERS_OF_CONCEPTS
        yield from ((what, skipping) for what in lost_in_silence(_json(skipping), whole, of_concepts=of_concepts))


def numbers(statistics: Mapping[str, Any]) -> list[int]:
    """Sentences, entities, relations of every kind."""
    parts = statistics.get("splits", {}).values()
    total = [sum(part[key] for part in parts) for key in ("sentences", "entities", "relations")]
    total.append(sum(sum(part["relations_across_sentences"].values()) for part in parts))
    return [*total, sum(sum(part.get("relations_of_concepts", {}).values()) for part in parts)]


def _sentences(statistics: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(numbers(statistics)[:1])


def kept(findings: Mapping[str, Any]) -> tuple[int, ...]:
    """Sentences, entities, relations."""
    return sum(findings.get("sentences", {}).values()), findings.get("entities", 0), findings.get("relations", 0)


def lost_in_silence(findings: Mapping[str, Any], whole: Mapping[str, Any], *, of_concepts: bool = False) -> Iterator[str]:
    """Sentences and relations that neither came out nor were counted as left out.

    Args: of_concepts: one relation that is counted as left out can be several between mentions.
    """
    dropped = Counter({entry["reason"]: entry["count"] for entry in findings["dropped"]})
    dropped.subtract({entry["reason"]: entry["count"] for entry in whole["dropped"]})
    reported = {name: sum(count for reason, count in dropped.items() if name in reason) for name in ("relation", "entit")}
    larger = any(unit in reason for reason in +dropped for unit in LARGER_UNITS)
    for name, before, after in zip(("sentences", "entities", "relations"), kept(whole), kept(findings)):
        enough = reported["relation"] + reported["entit"] if name == "relations" else bool(+dropped) * before
        enough = before if of_concepts and enough else enough
        if after < before and not larger and before - after > enough:
            yield f"{before - after} {name} lost in silence, of {before}"
