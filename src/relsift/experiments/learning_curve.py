"""A learning curve: the same training on nested samples of the documents, with several seeds. A finished cell is never computed again.

OUT/curve.json                             what all cells share (`relsift.training.shared_plan`)
OUT/cells/seed-<s>-share-<x>.json          one finished cell (`CurveCell`)
OUT/unfinished/seed-<s>-share-<x>/         the run folder of the cell that is being trained; goes away with it
OUT/lock                                   empty; held by the process that computes

Each seed has samples of its own, and a sample contains the smaller ones of its seed. Development and test data are always the same.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from relsift.config import MOST_SEED, RunConfig
from relsift.errors import DataError, OutputError, RelsiftError, require
from relsift.files import locked, make_folder, write_json
from relsift.json_schema import conform
from relsift.json_text import read_json, sealed
from relsift.schema import Document, sentences_of
from relsift.training.data import LoadedData, ScoringData
from relsift.training.predicting import score_bundle
from relsift.training.run import train_run
from relsift.training.run_folder import RunData
from relsift.training.shared_plan import check_plan, plan_of, write_plan
from relsift.training.windows import in_passages

PLAN_FILE, CELLS, UNFINISHED, LOCK_FILE = "curve.json", "cells", "unfinished", "lock"
MOST_SEEDS = 1000


@dataclass(frozen=True, kw_only=True)
class CurveCell:
    """One training. Scores are micro F1."""

    share: float  # of the training sentences
    seed: int
    documents: int  # in the sample, as the three that follow
    sentences: int
    relations: int
    development: float
    test: float | None  # None: not asked for
    best_epoch: int
    epochs: int
    threshold: float
    setting: str  # how development F1 was counted
    seconds: float  # of training and scoring
    versions: dict[str, str]

    @property
    def name(self) -> str:
        return cell_name(self.seed, self.share)


OnCell = Callable[[CurveCell, int, float], None]
"""Called with a finished cell, how many are finished, and the seconds left as those suggest."""


def cell_name(seed: int, share: float) -> str:
    return f"seed-{seed}-share-{share:.12g}"


def shares_of(text: str) -> tuple[float, ...]:
    """From `0.25,0.5,1`, rising. Raises ConfigError for what is no list of different shares."""
    expected = "two or more different shares of the training data, above 0 and at most 1, such as 0.25,0.5,1"
    try:
        shares = tuple(sorted(float(part) for part in text.split(",")))
    except ValueError:
        shares = ()
    fits = len(shares) > 1 and len(set(shares)) == len(shares) and all(0 < share <= 1 for share in shares)
    require(fits, "--sizes", expected=expected, got=text)
    return shares


def sample(documents: Sequence[Document], share: float, seed: int) -> list[Document]:
    """Documents at random until they have this share of the sentences, in their old order; a larger share holds those of a smaller one.

    >>> documents = [Document(str(number), ()) for number in range(3)]
    >>> sample(documents, 1.0, seed=1) == documents
    True
    """
    if share == 1:
        return list(documents)
    order = list(range(len(documents)))
    random.Random(seed).shuffle(order)
    wanted, count = share * sum(len(document.sentences) for document in documents), 0
    kept = set[int]()
    for number in order:
        if count >= wanted:
            break
        kept.add(number)
        count += len(documents[number].sentences)
    return [documents[number] for number in sorted(kept)]


def learning_curve(
    config: RunConfig,
    data: LoadedData,
    folder: Path,
    shares: Sequence[float],
    count: int,
    *,
    test: ScoringData | None = None,
    on_cell: OnCell | None = None,
) -> list[CurveCell]:
    """The cells of all shares with the configured seed and the `count - 1` after it; what is missing is computed.

    Raises: ConfigError for a number of seeds that cannot be; CheckpointError if the folder holds another curve, or another process works
        in it; DataError if two shares give the same sample; whatever a training raises, with the cell's name before it.
    """
    first = config.training.seed
    require(1 <= count <= MOST_SEEDS, "--seeds", expected=f"a number of trainings a size, 1 to {MOST_SEEDS}", got=count)
    require(first + count - 1 <= MOST_SEED, "training.seed", expected=f"seeds up to {MOST_SEED}", got=first)
    seeds = range(first, first + count)
    _check_samples(data.documents, shares, seeds, data.run.name)
    plan = plan_of(config, data.run) | {"test": test is not None}
    del plan["training.seed"]  # there may be more seeds, or others
    check = partial(check_plan, folder / PLAN_FILE, plan, "a curve", (CELLS, LOCK_FILE))
    check()
    make_folder(folder / CELLS)
    busy = f"{folder}: expected no other process that computes cells here, got one; wait for it, or use another --out"
    with locked(folder / LOCK_FILE, busy=busy):
        check()  # again: another process may have been here first
        write_plan(folder / PLAN_FILE, plan)
        cells = _computed(config, data, folder, [(seed, share) for seed in seeds for share in shares], test, on_cell)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    return cells


def finished(folder: Path, seed: int, share: float) -> CurveCell | None:
    """Raises CheckpointError for a broken file."""
    file = folder / CELLS / f"{cell_name(seed, share)}.json"
    if not file.exists():
        return None
    return conform(CurveCell, read_json(file, advice="delete it"), file, advice="delete it")


def _check_samples(documents: Sequence[Document], shares: Sequence[float], seeds: Sequence[int], name: str) -> None:
    for seed in seeds:
        sizes = [len(sample(documents, share, seed)) for share in shares]
        for smaller, larger, share in zip(sizes, sizes[1:], shares[1:]):
            if smaller == larger:
                raise DataError(
                    f"{name}: expected documents that can be cut into samples, got the same {larger} of {len(documents)} documents for "
                    f"--sizes {share:g} and the size below it; leave one out"
                )


def _computed(
    config: RunConfig, data: LoadedData, folder: Path, places: Sequence[tuple[int, float]], test: ScoringData | None,
    on_cell: OnCell | None,
) -> list[CurveCell]:  # fmt: skip
    """Seed by seed: whenever the work is stopped, the curves that are there are whole."""
    cells = {place: cell for place in places if (cell := finished(folder, *place)) is not None}
    for place in [place for place in places if place not in cells]:
        try:
            cell = _train(config, data, folder, *place, test)
        except OutputError as error:
            raise OutputError(f"{cell_name(*place)}: {error}") from error
        except RelsiftError as error:
            raise RelsiftError(f"{cell_name(*place)}: {error}") from error
        write_json(folder / CELLS / f"{cell.name}.json", sealed(asdict(cell)))
        shutil.rmtree(folder / UNFINISHED / cell.name)
        cells[place] = cell
        if on_cell is not None:
            on_cell(cell, len(cells), _seconds_left(cells, places))
    return [cells[place] for place in places]


def _seconds_left(cells: Mapping[tuple[int, float], CurveCell], places: Sequence[tuple[int, float]]) -> float:
    """A training takes about as long as it has sentences."""
    speed = sum(cell.seconds for cell in cells.values()) / sum(share for _, share in cells)
    return speed * sum(share for seed, share in places if (seed, share) not in cells)


def _train(config: RunConfig, data: LoadedData, folder: Path, seed: int, share: float, test: ScoringData | None) -> CurveCell:
    documents = sample(data.documents, share, seed)
    sentences = list(sentences_of(documents))
    own = config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})
    run = RunData(
        data.run.name, sentences, data.run.development, data.run.checksums, data.run.options,
        None if data.run.documents is None else (documents, data.run.documents[1]),
    )  # fmt: skip
    place = folder / UNFINISHED / cell_name(seed, share)
    started = time.perf_counter()
    result, scores = train_run(own, run, place, resume=True)
    on_test = None if test is None else score_bundle(result.bundle, test.sentences)[0].with_lost_relations(test.lost_relations)
    return CurveCell(
        share=share, seed=seed, documents=len(documents), sentences=len(sentences),
        relations=sum(len(sentence.relations or ()) for sentence in in_passages(own, run).training), development=scores.micro.f1,
        test=None if on_test is None else on_test.micro.f1, best_epoch=result.state.best_epoch, epochs=result.state.epoch,
        threshold=result.state.best_threshold, setting=_setting_line(scores.setting),
        seconds=round(time.perf_counter() - started, 3), versions={name: version(name) for name in ("relsift", "torch", "numpy")},
    )  # fmt: skip


def _setting_line(setting: Mapping[str, str]) -> str:
    """Without the numbers of candidates, which differ from sample to sample."""
    return " · ".join(f"{name}={value}" for name, value in setting.items() if name != "candidates")
