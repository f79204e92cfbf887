"""A decision for people: in words, and as a table."""

from __future__ import annotations

from collections.abc import Mapping

from relsift.decisions.decision import Decision
from relsift.evaluation.scores import TypeScore
from relsift.report.blocks import Table
from relsift.report.wording import counted, percent

_MODES = {
    "single": "A pair has at most one relation: the best one, if its score reaches its threshold.",
    "several": "A pair has every relation whose score reaches its threshold.",
}


def words(decision: Decision) -> list[str]:
    """One sentence a rule."""
    lines = [_MODES[decision.mode], f"The common threshold is {_number(decision.threshold)}."]
    if decision.thresholds:
        lines[-1] += f" Relations with one of their own: {', '.join(decision.thresholds)}."
    if decision.triples is None:
        lines.append("Constraints are off, and it is not known between which entity types the training data has each relation.")
    else:
        known = counted(len(decision.triples), "triple")
        state = "A relation needs" if decision.constraints else "Constraints are off; they would need"
        lines.append(f"{state} entity types between which the training data has it ({known} of head type, tail type and relation).")
    if decision.symmetric:
        lines.append(f"Decided in both directions together, by the mean score: {', '.join(decision.symmetric)}.")
    if decision.inverse:
        pairs = ", ".join(f"{name} with {other}" for name, other in decision.inverse.items())
        lines.append(f"Decided together with the inverse relation of the reversed pair: {pairs}.")
    for name, limits in decision.at_most.items():
        lines += [f"An entity is the {role} of at most {counted(number, 'relation')} {name}." for role, number in limits.items()]
    calibration = decision.calibration
    lines.append("Relations get no probability." if calibration is None else f"Scores become probabilities by {calibration.method}.")
    if (tuned := decision.tuned_on) is None:
        lines.append(
            "It is not recorded on which data this decision was tuned, or it was changed by hand since; "
            "`relsift decide RUN --data DATA --dry-run` scores it."
        )
    else:
        counts = f"{counted(tuned.sentences, 'sentence')}, {counted(tuned.pairs, 'pair')}, {tuned.related:,} of them related"
        lines.append(f"Tuned for {tuned.aim} on {tuned.data} ({counts}) by relsift {tuned.version}.")
    return lines


def threshold_table(decision: Decision, labels: tuple[str, ...], counts: Mapping[str, TypeScore], title: str) -> Table:
    """One row a relation and one for all. Args: counts: relation -> counts on the data that the title names; empty: none are known."""
    rows = [
        (name, _number(decision.threshold_of(name)) if name in labels else "–", *_scores(counts.get(name), bool(counts)))
        for name in dict.fromkeys((*labels, *counts))
    ]
    if counts:
        rows.append(("micro", "", *_scores(_total(counts))))
    titles = ("relation", "threshold", "examples", "precision", "recall", "F1")
    return Table.of(titles, rows, title=title, totals=1 if counts else 0)


def _total(counts: Mapping[str, TypeScore]) -> TypeScore:
    parts = [(one.true_positive, one.false_positive, one.false_negative) for one in counts.values()]
    return TypeScore(*(sum(column) for column in zip((0, 0, 0), *parts)))


def _scores(counts: TypeScore | None, is_counted: bool = True) -> tuple[str, str, str, str]:
    if counts is None:
        return ("0" if is_counted else "–"), "–", "–", "–"
    prf = counts.prf
    return str(counts.support), percent(prf.precision), percent(prf.recall), percent(prf.f1)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1e6 else f"{value:.3g}"  # with the minus of the keyboard: it can be copied into --threshold
