"""Every file that relsift writes, damaged: each command that reads it back ends with one line that names it, or has the right result."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from fault_trials import BAD_INPUT, Command, Outcome, Tally, batches, run, seeded, without_times
from small_corpus import small_corpus, write_raw

import toy
from relsift.schema import Document
from relsift.writers.native import lines

KIND = "damaged files"
EDITABLE = ("decision.json",)  # files that users edit: other values are taken as an edit, if they are possible
BATCH = 30  # trials of one child
DATA = ("--data", "{all}/data")
TINY = ("--set", "training.threads=1", "--set", "training.epochs=3", "--set", "model.filters=4", "--set", "model.word_size=6",
        "--set", "model.hidden=8", "--set", "model.windows=[2, 3]")  # fmt: skip
TAUGHT = ("--set", "training.teacher={all}/run")


@dataclass(frozen=True)
class Stand:
    """A folder that relsift wrote, and the commands that read it."""

    name: str
    folder: str  # below the place of all stands
    commands: Sequence[Command]  # {it}: a copy of the folder; {out}: an empty one; {all}: the place of all stands
    results: Sequence[str] = ()  # of the commands: files below {it} or {out} that must come out the same
    skip: Sequence[str] = ()  # names of files that no command reads: for people
    environment: dict[str, str] = field(default_factory=dict)


STANDS = (
    Stand("model folder", "run/model", [("predict", "{it}", "{all}/data/test.jsonl")]),
    Stand("model with annotators", "found/model", [("predict", "{it}", "{all}/texts/one.txt")]),
    Stand("ensemble", "seeds/model", [("predict", "{it}", "{all}/data/test.jsonl")]),
    Stand("NumPy export", "numpy", [("predict", "{it}", "{all}/data/test.jsonl")]),
    Stand("ONNX export", "onnx", [("predict", "{it}", "{all}/data/test.jsonl")]),
    Stand("model of a transformer", "transformer/model", [("predict", "{it}", "{all}/data/test.jsonl")]),
    Stand("run folder", "run", [("train", *DATA, "--model", "multitask_cnn", *TINY, "--out", "{it}", "--resume"),
                                ("predict", "{it}", "{all}/data/test.jsonl")], ["{it}/metrics.json", "{it}/history.jsonl"]),
    Stand("run that was killed", "killed", [("train", *DATA, "--model", "multitask_cnn", *TINY, "--out", "{it}", "--resume")],
          ["{it}/metrics.json", "{it}/history.jsonl", "{it}/model/decision.json"]),
    Stand("run with a teacher", "taught", [("train", *DATA, "--model", "multitask_cnn", *TINY, *TAUGHT, "--out", "{it}", "--resume")],
          ["{it}/metrics.json", "{it}/history.jsonl", "{it}/model/decision.json"]),
    Stand("runs of several seeds", "seeds", [("train", *DATA, "--model", "multitask_cnn", *TINY, "--seeds", 2, "--ensemble",
                                              "--out", "{it}", "--resume")], ["{it}/model/model.json"]),
    Stand("grid", "grid", [("cv", *DATA, "--model", "type_prior", "--folds", 2, "--seeds", 1, "--out", "{it}")],
          ["{it}/cv.md"], ["cv.html", "cv.md", ".svg"]),
    Stand("packed grid", "packed", [("cv", *DATA, "--model", "type_prior", "--folds", 2, "--seeds", 1, "--out", "{it}")],
          ["{it}/cv.md"], ["cv.html", "cv.md", ".svg"]),
    Stand("study", "study", [("tune", *DATA, "--model", "multitask_cnn", *TINY, "--space", "{all}/space.yaml", "--trials", 2,
                              "--out", "{it}")], ["{it}/config.yaml"]),
    Stand("learning curve", "curve", [("curve", *DATA, "--model", "type_prior", "--sizes", "0.5,1", "--seeds", 1, "--out",
                                       "{it}")]),
    Stand("predictions to resume", "half", [("predict", "{all}/run", "{all}/data/test.jsonl", "--out", "{it}/out.jsonl", "--resume")],
          ["{it}/out.jsonl"]),
    Stand("complete predictions", "whole", [("predict", "{all}/run", "{all}/data/test.jsonl", "--out", "{it}/out.jsonl", "--resume")],
          ["{it}/out.jsonl"]),
    Stand("document store", "store", [("convert", "{it}/data.parquet", "{out}/data.jsonl")], ["{out}/data.jsonl"]),
    Stand("prepared corpus", "home", [("stats", "small", "--json")], environment={"RELSIFT_HOME": "{it}"}),
    Stand("word vectors", "vectors", [("train", *DATA, "--model", "multitask_cnn", *TINY, "--set", "training.epochs=1",
                                       "--set", "encoding.vectors={it}/vectors.txt", "--out", "{out}/run")]),
)  # fmt: skip


# ---- making them


def write_data(folder: Path, sizes: dict[str, int]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, size) in enumerate(sizes.items()):
        documents = [Document(sentence.id, (sentence,)) for sentence in toy.sentences(size, seed=number)]
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for one in documents for line in lines(one)), encoding="utf-8")


def make_all(place: Path, *, has_transformer: bool = False, only: Sequence[str] = ()) -> None:
    """Make all stands below the place, with the commands that users make them with.

    Args: only: names of folders; none: all.
    Raises: RuntimeError if a command fails.
    """
    write_data(place / "data", {"train": 24, "dev": 9, "test": 9})
    (place / "texts").mkdir()
    (place / "texts/one.txt").write_text("Ada works for Acme. Bo lives in Oslo.\n\nCleo joined Acme.\n")
    patterns = [{"label": kind, "pattern": name} for kind, names in toy.NAMES.items() for name in names]
    (place / "names.jsonl").write_text("".join(json.dumps(one) + "\n" for one in patterns))
    (place / "space.yaml").write_text("training.learning_rate: {low: 0.001, high: 0.01, log: true}\n")
    data, train = place / "data", ("train", "--data", place / "data", *TINY)
    grid = ("cv", "--data", data, "--model", "type_prior", "--folds", 2, "--seeds", 1)
    cnn = ("--model", "multitask_cnn")
    predict = ("predict", place / "run", data / "test.jsonl", "--resume")
    commands: list[Command] = [
        (*train, *cnn, "--out", place / "run"), (*train, *cnn, "--out", place / "killed"),
        (*train, *cnn, *filled(TAUGHT, all=place), "--out", place / "taught"),
        (*train, *cnn, "--seeds", 2, "--ensemble", "--out", place / "seeds"),
        (*train, *cnn, "--entities-from", f"patterns:{place / 'names.jsonl'}", "--from-text", "--out", place / "found"),
        ("export", place / "run", "numpy", "--out", place / "numpy"),
        (*grid, "--out", place / "grid"), (*grid, "--out", place / "packed"), (*grid, "--out", place / "packed", "--pack"),
        ("tune", "--data", data, *cnn, *TINY, "--space", place / "space.yaml", "--trials", 2, "--out", place / "study"),
        ("curve", "--data", data, "--model", "type_prior", "--sizes", "0.5,1", "--seeds", 1, "--out", place / "curve"),
        (*predict, "--out", place / "half/out.jsonl"), (*predict, "--out", place / "whole/out.jsonl"),
        ("convert", f"native:{data / 'train.jsonl'}", place / "store/data.parquet", "--format", "store"),
    ]  # fmt: skip
    if has_transformer:
        from toy_transformer import write_toy_folder

        write_toy_folder(place / "encoder")
        options = ("--model", "cr_cnn", "--encoder", place / "encoder", "--set", "training.epochs=1", "--set", "training.threads=1")
        commands += [("train", "--data", data, *options, "--out", place / "transformer"),
                     ("export", place / "transformer", "onnx", "--out", place / "onnx")]  # fmt: skip
    write_raw(place / "raw")
    commands.append((f"RELSIFT_HOME={place / 'home'}", "corpora", "prepare", "small", "--from", place / "raw"))
    if only:
        wanted = [f"{place / name}" for name in only]
        commands = [command for command in commands if str(command[-1]) in wanted or str(command[0]).endswith(tuple(wanted))]
    for outcome, command in zip(run([commands], setup=know_small_corpus)[0], commands):
        if outcome.status != 0:
            raise RuntimeError(f"relsift {' '.join(map(str, command))}: {outcome.status}: {outcome.err}{outcome.out}")
    if not only:
        interrupt(place / "half/out.jsonl")
        for run_folder in (place / "killed", place / "taught"):  # as a kill after the last epoch leaves them
            shutil.rmtree(run_folder / "model")
            (run_folder / "metrics.json").unlink()
    words = sorted({word for sentence in toy.sentences(24) for word in sentence.tokens})
    (place / "vectors").mkdir()
    vectors = (f"{word} {' '.join(f'{len(word) / (n + 3):.3f}' for n in range(6))}\n" for word in words)
    (place / "vectors/vectors.txt").write_text("".join(vectors), encoding="utf-8")


def has_transformers() -> bool:
    return toy.HAS_TRANSFORMERS and find_spec("onnxruntime") is not None


def know_small_corpus() -> None:
    """In the child: a corpus to prepare that is not in the catalogue."""
    from relsift import registry

    with tempfile.TemporaryDirectory() as raw:
        corpus = small_corpus(write_raw(Path(raw)))
    sys.modules["faults_corpus"] = module = ModuleType("faults_corpus")
    module.SMALL = corpus  # type: ignore[attr-defined]
    registry.CORPORA["small"] = "faults_corpus:SMALL"
    registry.table.cache_clear()  # of the parent, which may have looked before


def interrupt(out: Path) -> None:
    """Make complete predictions look as a kill would have left them: marked, and cut in the middle of a line."""
    record = out.with_name(f".{out.name}.complete.json")
    facts = json.loads(record.read_text())
    record.unlink()
    out.with_name(f"{out.name}.resume.json").write_text(json.dumps({key: facts[key] for key in facts if key not in ("size", "mtime_ns")}))
    out.write_bytes(out.read_bytes()[: out.stat().st_size // 2 + 7])


# ---- damaging them

Damage = Callable[[Path], None]


def _cut(share: float) -> Damage:
    def cut(file: Path) -> None:
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))] if share < 1 else content[:-1])

    return cut


def _flip(place: float, bit: int) -> Damage:
    def flip(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[int(place * len(content))] ^= 1 << bit
        file.write_bytes(content)

    return flip


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _zero(file: Path) -> None:
    """What some file systems leave of a file after a power cut: its length, and nothing in it."""
    file.write_bytes(bytes(file.stat().st_size))


def damages(name: str, size: int, flips: int, seed: int) -> Iterator[tuple[str, Damage]]:
    if size:
        for share in (0.0, 0.25, 0.5, 0.9, 1.0):
            yield f"cut at {share:.0%}", _cut(share)
        draw = seeded(seed, name)
        for _ in range(flips):
            place, bit = draw.random(), draw.randrange(8)
            yield f"bit {bit} flipped at {place:.4f}", _flip(place, bit)
        yield "zeroed", _zero
    yield "a folder in its place", _folder
    yield "deleted", Path.unlink


def filled(command: Command, **places: Path) -> list[str]:
    text = [str(argument) for argument in command]
    for name, place in places.items():
        text = [argument.replace(f"{{{name}}}", str(place)) for argument in text]
    return text


@dataclass(frozen=True)
class Trial:
    name: str
    file: str  # what was damaged, below the folder
    it: Path
    out: Path


def try_stand(stand: Stand, place: Path, tally: Tally, *, flips: int, seed: int = 0, only: int | None = None) -> None:
    """Damage every file of the stand in every way, and compare what the commands do with what they did before."""
    whole, work = place / stand.folder, place / "trials" / stand.name.replace(" ", "-")
    files = sorted(file for file in whole.rglob("*") if file.is_file() and not any(file.name.endswith(name) for name in stand.skip))
    planned = [
        (file.relative_to(whole).as_posix(), name, damage)
        for file in files for name, damage in damages(f"{stand.name}/{file.name}", file.stat().st_size, flips, seed)
    ]  # fmt: skip
    if only is not None:
        planned = seeded(seed, stand.name).sample(planned, min(only, len(planned)))
    base = _trial(stand, whole, work, "whole", "", None)
    expected = _result(stand, base, _carry_out(stand, [base], place)[0], place)
    for number, group in enumerate(batches(planned, BATCH)):
        made = [
            _trial(stand, whole, work, f"{number}-{place_in_group}", file, damage, name)
            for place_in_group, (file, name, damage) in enumerate(group)
        ]  # fmt: skip
        for trial, outcomes in zip(made, _carry_out(stand, made, place)):
            tally.watch(outcomes)
            tally.count(KIND, any(outcome.status == BAD_INPUT for outcome in outcomes))
            if (fault := judged(stand, trial, outcomes, expected, place)) is not None:
                tally.fault(KIND, fault[0], trial.name, fault[1])
        shutil.rmtree(work, ignore_errors=True)


def _trial(stand: Stand, whole: Path, work: Path, number: str, file: str, damage: Damage | None, name: str = "") -> Trial:
    it, out = work / number / whole.name, work / number / "out"
    shutil.copytree(whole, it, symlinks=True)
    out.mkdir(parents=True)
    for path in whole.rglob("*"):  # times too: a record of predictions knows that of its file
        if path.is_file():
            os.utime(it / path.relative_to(whole), ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    if damage is not None:
        damage(it / file)
    return Trial(f"{stand.name}: {file}: {name}", file, it, out)


def _carry_out(stand: Stand, made: Sequence[Trial], place: Path) -> list[list[Outcome]]:
    tasks = []
    for trial in made:
        environment = filled([f"{name}={value}" for name, value in stand.environment.items()], it=trial.it)
        tasks.append([[*environment, *filled(command, it=trial.it, out=trial.out, all=place)] for command in stand.commands])
    return run(tasks, setup=know_small_corpus)


def _result(stand: Stand, trial: Trial, outcomes: Sequence[Outcome], place: Path) -> list[str]:
    """All that came out, without times and places."""
    texts = [outcome.out for outcome in outcomes]
    for file in (Path(filled([name], it=trial.it, out=trial.out, all=place)[0]) for name in stand.results):
        texts.append(file.read_text(encoding="utf-8") if file.is_file() else "")
    return [without_times(text.replace(str(trial.it.parent), "")) for text in texts]


def judged(
    stand: Stand, trial: Trial, outcomes: Sequence[Outcome], expected: Sequence[str], place: Path
) -> tuple[str, Outcome] | None:
    """What is wrong, and which command shows it. A command behind one that was refused may be refused too, or be right."""
    for outcome in outcomes:
        if what := outcome.fault(0, BAD_INPUT):
            return what, outcome
        if outcome.status == BAD_INPUT:
            if Path(trial.file).name not in outcome.err and str((trial.it / trial.file).parent) not in outcome.err:
                return "the message does not name the file", outcome
            return None
    if Path(trial.file).name in EDITABLE:
        return None
    result = _result(stand, trial, outcomes, place)
    for number, (one, other) in enumerate(zip(result, expected)):
        if one != other and "warning: " not in outcomes[0].err:
            return "another result, in silence", outcomes[min(number, len(outcomes) - 1)]
    return None
