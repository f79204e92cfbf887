"""Commands killed at random moments, again and again, then carried out to the end: the same bytes as without a kill."""

from __future__ import annotations

import lzma
import operator
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from damaged_files import DATA, TINY, filled, know_small_corpus, write_data
from fault_trials import BAD_INPUT, Command, Outcome, Tally, call, run, seeded, without_times

KIND = "kills"
MOST_KILLS = 3  # of one trial
LAST_DIGIT = 1.5e-6  # of a score
_SCORE = r'(?:(?<="score": )|(?<="probability": ))-?\d[\d.e-]*'
# What operations on files tell an audit hook; see "Audit events table" in Python's documentation.
_FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "sqlite3.connect",
                          "shutil.rmtree", "os.scandir"})  # fmt: skip
_FOR_NOBODY = ("lock", "study.db", "cv.html")  # compared by what is read from it, and by cv.md
_CARD = re.compile(r"/\.?README\.md(\.\d+\.tmp)?$")  # of a model, for people: it comes after the model


_TAKEN = re.compile("expected a new or (an )?empty folder")
_COMPLETE = "the file is complete"


@dataclass(frozen=True)
class Work:
    """A command that is killed and called again."""

    name: str
    command: Command  # {out}: an empty folder; {all}: the place of what is read
    whole: Sequence[str] = ()  # outputs that must never be seen incomplete, below {out}
    once: bool = False  # it refuses to write into what it has written
    rounds: bool = False  # after a kill it sums in another order, so that scores may differ in their last digit
    like: Command = ()  # another command with the same result, which may go on where it was killed, and the other way round; none: itself

    def result(self, out: Path, outcome: Outcome) -> dict[str, str]:
        """All that comes of it. What is printed for people says what was left to do, and differs after a kill."""
        return content(out, outcome.out if "--json" in self.command else "")

    def refused_rightly(self, out: Path, outcome: Outcome, whole: dict[str, str]) -> bool:
        """The command had done all its work when it was killed, and the second one found the result."""
        is_taken = self.once and _TAKEN.search(outcome.err) is not None
        is_complete = "--resume" in self.command and _COMPLETE in outcome.err
        return outcome.status == BAD_INPUT and (is_taken or is_complete) and self.result(out, Outcome(0, "", "")) == whole


TRAINED = ("train", *DATA, "--model", "multitask_cnn", *TINY, "--resume", "--out", "{out}/run")
SAVED_OFTEN = (*TRAINED, "--set", "training.save_minutes=1e-6", "--set", "training.batch_pairs=16",  # after every batch
               "--set", "training.word_dropout=0.2")  # fmt: skip
WORKS = (
    Work("train", TRAINED, ["run/model"]),
    Work("train, on the disk", (*SAVED_OFTEN, "--on-disk"), ["run/model"], like=SAVED_OFTEN),
    Work("train several seeds", ("train", *DATA, "--model", "multitask_cnn", *TINY, "--seeds", 2, "--ensemble", "--resume",
                                 "--out", "{out}/run"), ["run/model"]),
    Work("cv", ("cv", *DATA, "--model", "multitask_cnn", *TINY[2:], "--preset", "", "--folds", 2, "--seeds", 1,
                "--out", "{out}/grid")),
    Work("cv, packed", ("cv", *DATA, "--model", "type_prior", "--folds", 2, "--seeds", 1, "--pack", "--out", "{out}/grid")),
    Work("tune", ("tune", *DATA, "--model", "multitask_cnn", *TINY, "--space", "{all}/space.yaml", "--trials", 4, "--json",
                  "--out", "{out}/study")),
    Work("curve", ("curve", *DATA, "--model", "multitask_cnn", *TINY, "--sizes", "0.5,1", "--seeds", 1, "--json",
                   "--out", "{out}/curve")),
    Work("predict", ("predict", "{all}/run", "{all}/many.jsonl", "--resume", "--out", "{out}/out.jsonl"), rounds=True),
    Work("predict, one page", ("predict", "{all}/run", "{all}/many.jsonl", "--out", "{out}/out.html"), ["out.html"]),
    Work("annotate", ("annotate", "{all}/many.txt", "--with", "patterns:{all}/names.jsonl", "--resume", "--out", "{out}/out.jsonl")),
    Work("convert", ("convert", "{all}/many.jsonl", "{out}/out.jsonl"), ["out.jsonl"]),
    Work("convert, a folder", ("convert", "{all}/many.jsonl", "{out}/out", "--format", "brat"), ["out"], once=True),
    Work("convert, parts", ("convert", "{all}/data", "{out}/out", "--format", "brat"), ["out"], once=True),
    Work("convert, a store", ("convert", "{all}/many.jsonl", "{out}/out.parquet", "--format", "store"), ["out.parquet"]),
    Work("corpora prepare", ("corpora", "prepare", "small", "--from", "{all}/raw"), ["corpora/small"]),
    Work("split", ("split", "{all}/many.jsonl", "--out", "{out}/parts"), ["parts"], once=True),
    Work("export", ("export", "{all}/run", "numpy", "--out", "{out}/numpy"), ["numpy"]),
)  # fmt: skip


def make_inputs(place: Path) -> None:
    """What the works read, below the place."""
    from small_corpus import write_raw

    import toy

    write_data(place / "data", {"train": 24, "dev": 9, "test": 9})
    write_data(place, {"many": 400})
    sentences = toy.sentences(300)
    (place / "many.txt").write_text("\n\n".join(" ".join(sentence.tokens) for sentence in sentences), encoding="utf-8")
    names = [f'{{"label": "{kind}", "pattern": "{name}"}}\n' for kind, group in toy.NAMES.items() for name in group]
    (place / "names.jsonl").write_text("".join(names), encoding="utf-8")
    (place / "space.yaml").write_text("training.learning_rate: {low: 0.001, high: 0.01, log: true}\n")
    write_raw(place / "raw")
    trained = run([[("train", "--data", place / "data", "--model", "multitask_cnn", *TINY, "--out", place / "run")]])[0][0]
    if trained.status != 0:
        raise RuntimeError(trained.err)


def small_blocks(place: Path) -> None:
    """In the child: many blocks in a small file, and a corpus to prepare that is not in the catalogue."""
    from relsift.streaming import inputs, predict

    for module in (predict, inputs):
        if hasattr(module, "SENTENCES_AT_ONCE"):
            module.SENTENCES_AT_ONCE = 8  # type: ignore[attr-defined]
    know_small_corpus()


# ---- killing


class _FileCounter:
    """Counts operations on files below a folder, and ends the process without a word just before one of them."""

    def __init__(self, folder: Path, fatal: int | None) -> None:
        self.folder, self.fatal, self.count = str(folder), fatal, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS and arguments and self.folder in str(arguments[0]):
            self.count += 1
            if self.count == self.fatal:
                os.kill(os.getpid(), signal.SIGKILL)


def _cpu_seconds(child: int) -> float:
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Length:
    """Of an undisturbed command."""

    seconds: float  # of processor time
    operations: int  # on files below its folder


def carry_out(
    command: Command, out: Path, setup: Callable[[], None], *, seconds: float | None = None, operation: int | None = None
) -> tuple[Outcome, Length]:
    """The command in a child that is killed after so much processor time, or before so many operations on files; None: never."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.environ["RELSIFT_HOME"] = str(out)
        counter = _FileCounter(out, operation)
        setup()
        sys.addaudithook(counter)
        started = time.process_time()
        status, told, errors = call(command)
        with os.fdopen(writing, "w") as stream:
            stream.write(f"{status}\n{time.process_time() - started}\n{counter.count}\n{told}\0{errors}")
        os._exit(0)
    os.close(writing)
    if seconds is not None:
        try:
            while _cpu_seconds(child) < seconds and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
        except (ProcessLookupError, FileNotFoundError):
            pass
    with os.fdopen(reading, encoding="utf-8") as stream:
        told = stream.read()
    _, ended = os.waitpid(child, 0)
    if (signal_number := -os.waitstatus_to_exitcode(ended)) > 0 or "\0" not in told:
        return Outcome(f"signal {signal_number}", "", ""), Length(0.0, 0)
    status, used, count, rest = told.split("\n", 3)
    text, _, errors = rest.partition("\0")
    return Outcome(int(status) if status.lstrip("-").isdigit() else status, text, errors, float(used)), Length(float(used), int(count))


# ---- comparing


def content(folder: Path, told: str) -> dict[str, str]:
    """All files below the folder and what was printed, without times."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("latin-1")
        for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in _FOR_NOBODY and not _is_lock(path)
    }  # fmt: skip
    if (pack := folder / "grid/cells.jsonl.xz").is_file():  # the checksum in its first line is of lines with times
        files["grid/cells.jsonl.xz"] = re.sub(r'"sha256":\s?"\w+"', "", lzma.decompress(pack.read_bytes()).decode(), count=1)
    result = {}
    for name, text in (files | {"printed": told}).items():
        text = without_times(text)
        text = re.sub(r'"content_sha256": ?"\w+"', "SEAL", text)  # of content with times in it
        result[name] = text.replace(str(folder), "")
    return result


def _is_lock(file: Path) -> bool:
    """An empty file that a kill leaves for the next process to lock."""
    return file.name.startswith(".") and file.suffix == ".lock" and not file.stat().st_size


def try_work(work: Work, place: Path, tally: Tally, count: int, seed: int = 0) -> None:
    """Kill the work so many times, and compare what comes out in the end with the undisturbed result."""
    scratch = place / "killed" / work.name.replace(" ", "-").replace(",", "")

    def setup() -> None:
        small_blocks(place)

    def fresh(name: str) -> Path:
        out = scratch / name / "out"
        out.mkdir(parents=True)
        return out

    def carried_out(out: Path, command: Command, **moment: Any) -> tuple[Outcome, Length]:
        return carry_out(filled(command, out=out, all=place), out, setup, **moment)

    commands = [work.command, *([work.like] if work.like else [])]
    outcome, length = carried_out(out := fresh("whole"), work.command)
    if outcome.status != 0:
        raise RuntimeError(f"{work.name}: {outcome.status}: {outcome.err}")
    whole = work.result(out, outcome)
    for command in commands[1:]:
        outcome, _ = carried_out(out := fresh("like"), command)
        if (what := unlike(work, out, outcome, whole)) is not None:
            tally.fault(KIND, f"without a kill, in another way: {what}", work.name, outcome)
    done, number = 0, 0
    while done < count:
        draw, name = seeded(seed, work.name, number), f"{work.name}/{number}"
        number += 1
        out = fresh(str(number))
        for _ in range(draw.randint(1, min(MOST_KILLS, count - done))):
            moment = _moment(draw, length)
            outcome, _ = carried_out(out, _drawn(commands, draw), **moment)
            if outcome.status == 0 or work.refused_rightly(out, outcome, whole):
                break
            done += 1
            tally.count(KIND, False)
            name += f" {moment}"
            if outcome.status != f"signal {signal.SIGKILL}":
                tally.fault(KIND, f"ended with {outcome.status}, not killed", name, outcome)
            for part in work.whole:
                if (seen := _partial(out, part, whole)) is not None:
                    tally.fault(KIND, f"after the kill {seen}", name)
        outcome, _ = carried_out(out, _drawn(commands, draw))
        tally.watch([outcome])
        if (what := unlike(work, out, outcome, whole)) is not None:
            tally.fault(KIND, f"after the kill: {what}", name, outcome)
        else:
            shutil.rmtree(out.parent)


def unlike(work: Work, out: Path, outcome: Outcome, whole: dict[str, str]) -> str | None:
    """What is wrong with the end of a command; None: it has the result of the undisturbed one."""
    if work.refused_rightly(out, outcome, whole):
        return None
    if outcome.status != 0:
        return f"ended with {outcome.status}"
    got = work.result(out, outcome)
    same = _alike if work.rounds else operator.eq
    different = sorted(file for file in {**got, **whole} if not same(got.get(file, ""), whole.get(file, "")))
    return f"another result: {', '.join(different)}" if different else None


def _alike(one: str, other: str) -> bool:
    """Equal but for the last of six digits of scores, and the size of the file that follows from it."""
    (text, scores), (other_text, other_scores) = map(_without_scores, (one, other))
    return text == other_text and all(abs(score - expected) <= LAST_DIGIT for score, expected in zip(scores, other_scores))


def _without_scores(text: str) -> tuple[str, list[float]]:
    text = re.sub(r'"size": \d+', "SIZE", text)
    return re.sub(_SCORE, "SCORE", text), [float(score) for score in re.findall(_SCORE, text)]


def _drawn(commands: Sequence[Command], draw: random.Random) -> Command:
    return commands[0] if len(commands) == 1 else draw.choice(commands)


def _moment(draw: random.Random, length: Length) -> dict[str, Any]:
    if length.operations and draw.random() < 0.6:
        return {"operation": draw.randint(1, length.operations)}
    return {"seconds": draw.random() * length.seconds}


def _partial(out: Path, part: str, whole: dict[str, str]) -> str | None:
    """What is wrong with an output that is there after a kill: it is not the complete one."""
    place = out / part
    if not place.exists():
        return None
    got, expected = (
        {name: text for name, text in files.items() if (name == part or name.startswith(f"{part}/")) and not _CARD.search(name)}
        for files in (content(out, ""), whole)
    )
    return None if got == expected else f"{part} is there and not whole"
