"""Samples of documents, cells that are kept, and what the report of a learning curve says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from grids import write_sentences
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError
from relsift.experiments import learning_curve as curves
from relsift.experiments.learning_curve import CurveCell, learning_curve, sample, shares_of
from relsift.experiments.report.learning_curve import answer, curve_json, curve_report, size_table
from relsift.report.terminal import plain_text
from relsift.schema import Document, Sentence
from relsift.training.data import LoadedData, scoring_data, training_data
from toy import run_config


def documents(sizes: list[int]) -> list[Document]:
    return [
        Document(f"d{number}", tuple(Sentence(f"d{number}-{at}", ("a",)) for at in range(size))) for number, size in enumerate(sizes)
    ]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.floats(0.01, 1), st.floats(0.01, 1), st.integers(0, 9))
def test_a_larger_sample_holds_the_smaller_one_and_both_have_their_share(sizes: list[int], one: float, other: float, seed: int):
    small, large = (sample(documents(sizes), share, seed) for share in sorted((one, other)))
    assert {document.id for document in small} <= {document.id for document in large}
    assert [document.id for document in large] == sorted((document.id for document in large), key=lambda name: int(name[1:]))
    total = sum(len(document.sentences) for document in small)
    assert min(one, other) * sum(sizes) <= total < min(one, other) * sum(sizes) + 5


def test_seeds_have_samples_of_their_own():
    assert len({tuple(d.id for d in sample(documents([1] * 20), 0.5, seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("text", ["1", "0.5,0.5", "0,1", "0.5,1.5", "half,1", "", "nan,1"])
def test_sizes_are_different_shares(text: str):
    with pytest.raises(ConfigError, match="--sizes: expected two or more different shares"):
        shares_of(text)


def test_sizes_are_put_in_order():
    assert shares_of("1, 0.25,.5") == (0.25, 0.5, 1)


@pytest.fixture
def data(tmp_path: Path) -> LoadedData:
    return training_data(f"native:{write_sentences(tmp_path / 'train.jsonl')}", dev_fraction=0.25)


def test_finished_cells_are_kept_and_more_seeds_add_to_them(data: LoadedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config, folder, trained = run_config(epochs=1), tmp_path / "curve", list[tuple[int, int]]()

    def train_run(own, run, place, *, resume):
        assert resume
        place.mkdir(parents=True, exist_ok=True)
        trained.append((own.training.seed, len(run.training)))
        assert run.development == data.run.development
        if len(trained) == 4:
            raise RelsiftError("stopped here")
        state = SimpleNamespace(best_epoch=1, epoch=1, best_threshold=0.5)
        scores = SimpleNamespace(micro=SimpleNamespace(f1=len(run.training) / 100), setting={"entities": "gold", "candidates": "9"})
        return SimpleNamespace(state=state, bundle=None), scores

    monkeypatch.setattr(curves, "train_run", train_run)
    first = learning_curve(config, data, folder, (0.5, 1), 1)
    whole = len(data.run.training)
    assert trained == [(1, first[0].sentences), (1, whole)] and [cell.share for cell in first] == [0.5, 1]
    assert first[1].development == whole / 100 and first[1].test is None and first[1].setting == "entities=gold"
    with pytest.raises(RelsiftError, match="seed-2-share-1: stopped here"):
        learning_curve(config, data, folder, (0.5, 1), 2)
    done = list[int]()
    both = learning_curve(config, data, folder, (0.5, 1), 2, on_cell=lambda cell, count, left: done.append(count))
    assert [seed for seed, _ in trained] == [1, 1, 2, 2, 2] and done == [4]
    assert both[:2] == first and not (folder / "unfinished").exists()
    scored = scoring_data(str(data.run.name))
    with pytest.raises(CheckpointError, match="expected a curve with test=True, got one with test=False"):
        learning_curve(config, data, folder, (0.5, 1), 1, test=scored)
    with pytest.raises(CheckpointError, match=r"training\.epochs=2, got one with training\.epochs=1"):
        learning_curve(run_config(epochs=2), data, folder, (0.5, 1), 1)


def test_two_sizes_of_one_sample_are_refused_before_anything_is_trained(data: LoadedData, tmp_path: Path):
    with pytest.raises(DataError, match=r"the same 1 of \d+ documents for --sizes 0.02"):
        learning_curve(run_config(epochs=1), data, tmp_path / "curve", (0.01, 0.02, 1), 1)
    assert not (tmp_path / "curve").exists()


def test_a_folder_of_other_things_is_not_written_into(data: LoadedData, tmp_path: Path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(CheckpointError, match="expected a new or empty folder, got one that holds 'notes'"):
        learning_curve(run_config(epochs=1), data, tmp_path, (0.5, 1), 1)


def cell(share: float, seed: int, f1: float, test: float | None = None) -> CurveCell:
    return CurveCell(
        share=share, seed=seed, documents=round(10 * share), sentences=round(800 * share), relations=round(400 * share), development=f1,
        test=test, best_epoch=1, epochs=1, threshold=0.0, setting="entities=gold", seconds=1.0, versions={"relsift": "1"},
    )  # fmt: skip


RISING = [cell(share, seed, 0.8 - 0.2 / share**0.5 + 0.01 * seed) for seed in (1, 2, 3) for share in (0.125, 0.25, 0.5, 1)]


def test_the_answer_says_what_twice_the_annotations_bring_with_its_interval():
    # 0.82 − 0.2 at the largest size, 0.82 − 0.2 / sqrt(2) at twice that: 5.9 points more
    said = answer(RISING)
    assert "twice the annotations (1,600 sentences) raise development F1 by 5.9 points (95 % interval +5" in said and "to 67.9 %" in said
    assert answer(RISING[:4]).endswith("(no interval: it takes at least 3 seeds).")


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (RISING[2:4], "it takes at least 3 sizes"),
        ([replace(one, development=0.5) for one in RISING[:4]], "F1 does not rise with the number of sentences"),
    ],
)
def test_the_answer_says_why_there_is_none(cells: list[CurveCell], why: str):
    assert answer(cells) == f"What twice the annotations would bring cannot be said: no curve can be fitted, since {why}."
    assert curve_json(cells, data="d", model="m")["twice"] is None


def test_the_table_has_a_row_a_size_and_test_scores_only_where_asked_for():
    text = plain_text(size_table(RISING))
    assert "0.125" in text and "25.4 ± 1.0" in text and "test" not in text  # 0.82 − 0.2 / sqrt(0.125)
    assert "test F1" in plain_text(size_table([cell(0.5, 1, 0.4, 0.3), cell(1, 1, 0.5, 0.4)]))


def test_the_report_draws_every_training_and_the_law_to_twice_the_size():
    pytest.importorskip("matplotlib")
    [figure] = curve_report(RISING, data="d", model="m", command="relsift curve").figures()
    assert ">1,600<" in figure.svg and "25.4 at 100" in figure.alt
