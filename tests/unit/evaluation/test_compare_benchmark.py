"""`benchmarks/compare.py`: a stage that became slower is found, noise is not taken for one, and only the margin decides the exit status."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
NOISE = (1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.05)  # what else the machine does, alike for both of a pair
WORKER = """
import json, os, sys
factor = float(open(os.path.join(os.environ["PYTHONPATH"], "factor")).read())
for number, line in enumerate(sys.stdin):
    print(json.dumps({"reading": 0.5, "model": (1 + number % 3 / 100) * factor}), flush=True)
"""


@pytest.fixture(scope="module")
def compare() -> Iterator[Any]:
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("compare_benchmark", BENCHMARKS / "compare.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        yield module


def test_the_interval_is_that_of_student_on_the_logarithms(compare):
    ratio, low, high = compare.ratio_of([1.0, 1.0, 1.0], [2.0, 4.0, 8.0])  # logarithms to base 2: 1, 2, 3
    assert ratio == pytest.approx(4.0)
    assert low == pytest.approx(2 ** (2 - 4.30265 / 3**0.5), rel=1e-5)  # t of 2 degrees of freedom, deviation 1
    assert high == pytest.approx(2 ** (2 + 4.30265 / 3**0.5), rel=1e-5)


@pytest.mark.parametrize(("factor", "verdict", "fails"), [(1.5, "slower", True), (1.05, "slower", False), (0.8, "faster", False)])
def test_a_constant_factor_is_seen_through_noise_that_both_have(compare, factor: float, verdict: str, fails: bool):
    befores = [{"model": noise} for noise in NOISE]
    afters = [{"model": noise * factor * (1.01 if number % 2 else 0.99)} for number, noise in enumerate(NOISE)]
    [row] = compare.judged("case", befores, afters)
    assert (row.verdict, row.ratio) == (verdict, pytest.approx(factor, rel=0.01))
    assert (compare.too_slow([row], 0.1) == [row]) is fails


def test_noise_alone_is_no_difference(compare):
    befores = [{"model": noise} for noise in NOISE]
    afters = [{"model": noise} for noise in NOISE[::-1]]
    [row] = compare.judged("case", befores, afters)
    assert row.verdict == "no difference seen"
    assert not compare.too_slow([row], 0.0)


def test_a_stage_too_short_for_the_clock_and_one_that_only_one_code_has_are_not_judged(compare):
    befores = [{"reading": 0.001, "old stage": 1.0, "model": 1.0}] * 3
    assert [row.stage for row in compare.judged("case", befores, [{"reading": 0.1, "model": 1.0}] * 3)] == ["model"]


def test_both_codes_are_asked_in_turns(compare):
    asked: list[str] = []
    compare.in_turns(lambda: asked.append("old"), lambda: asked.append("new"), 3)
    assert asked == ["old", "new", "new", "old", "old", "new"]


@pytest.mark.parametrize(("factor", "status"), [(2.0, 1), (1.0, 0)])
def test_a_stage_that_became_slower_ends_with_status_1(compare, factor: float, status: int, tmp_path, monkeypatch, capsys):
    for tree, its_factor in (("old", 1.0), ("new", factor)):
        (tmp_path / tree / "src").mkdir(parents=True)
        (tmp_path / tree / "src" / "factor").write_text(str(its_factor), encoding="utf-8")
    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")

    @contextmanager
    def checked_out(base: str) -> Iterator[Path]:
        assert base == "main"
        yield tmp_path / "old"

    monkeypatch.setattr(compare, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(compare, "ROOT", tmp_path / "new")
    monkeypatch.setattr(compare, "checked_out", checked_out)
    assert compare.main(["main", "--pairs", "3", "--case", "fake=predict a b"]) == status
    said = capsys.readouterr().out
    assert ("slower by more than 10%: fake, model, 2.00 times" in said) is bool(status)
    assert "fake, reading: 1.00 (1.00 to 1.00), no difference seen" in said


def test_an_unknown_base_is_refused(compare):
    with pytest.raises(SystemExit, match="BASE: expected a commit, a branch or a tag, got 'no-such-commit'"):
        compare.main(["no-such-commit", "--case", "fake=predict a b"])
