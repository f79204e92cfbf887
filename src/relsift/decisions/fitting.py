"""Fitting a calibration on development data: which method, and its numbers. Needs scikit-learn; using the result does not.

Examples are the relations that the decision chooses between: in mode single the best one of each pair, in mode several all of them. Each
is right or wrong. The method is chosen by cross-fitting: fitted on four fifths of the documents (of the sentences, where each is a document
of its own), measured by log loss on the last one. A method with more parameters has to be better by more than 1 %. With few right relations
it is the temperature, or Platt's two numbers where probabilities would fall with the score otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relsift.decisions.calibration import METHODS, Calibration, Method
from relsift.errors import ConfigError
from relsift.stable_random import stable_integer

if TYPE_CHECKING:
    from relsift.decisions.decision import Decision
    from relsift.decisions.scored import Scored

FOLDS = 5
FEW = 50  # right relations; with fewer, no choice of a method would be sure
_WITH_FEW: tuple[Method, ...] = ("temperature", "platt")  # the first that fits: one parameter fits only where a score of 0 is even odds
_GAIN = 0.01  # share by which a method has to lower the log loss of a simpler one
_LEAST = 1e-12  # probability, in a logarithm

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def calibrated(
    decision: Decision, scored: Sequence[Scored], labels: tuple[str, ...], method: Method | None = None
) -> tuple[Calibration | None, list[str]]:
    """The calibration of a decision's scores, and warnings for the user.

    Args: scored: annotated sentences. method: None chooses one.
    Returns: None in place of a calibration that cannot be fitted.
    """
    scores, right, groups = [], [], []
    for sentence in scored:
        found = decision.choices(sentence, labels)
        scores += found.scores.tolist()
        right += [labels[column] in sentence.pairs[pair].types for pair, column in zip(found.pairs.tolist(), found.columns.tolist())]
        groups += [group_of(sentence)] * len(found.scores)
    return fit(np.array(scores, np.float64), np.array(right, np.bool_), folds_of(groups), method)


def fit(scores: Floats, right: Bools, folds: NDArray[np.int64], method: Method | None = None) -> tuple[Calibration | None, list[str]]:
    """A calibration of (N,) scores, each of a relation that is right or not, and warnings for the user.

    Args: folds: (N,) what is held out together. method: None chooses one.
    """
    num_right = int(right.sum())
    if not num_right:
        return None, ["no probabilities: no relation that the decision could take is right in the data to calibrate on"]
    if method is not None:
        tried: tuple[Method, ...] = (method,)
    elif num_right < FEW:
        tried = _WITH_FEW
    else:
        tried = (_chosen(scores, right, folds),)
    result = next((fitted for one in tried if (fitted := _fitted(one, scores, right)) is not None), None)
    if result is None:
        return None, [f"no probabilities: in the data to calibrate on they would not rise with the score ({' and '.join(tried)})"]
    if num_right >= FEW:
        return result, []
    few = f"only {num_right} relations of the data to calibrate on are right: probabilities are rough"
    return result, [few if method is not None else f"{few}, by {result.method} alone; {FEW} would allow a better method"]


def group_of(scored: Scored) -> str:
    """What is held out together: the document, or the sentence if it has none."""
    return scored.sentence.doc_id or scored.sentence.id


def folds_of(groups: Sequence[str]) -> NDArray[np.int64]:
    """(N,) the fold of each example, 0 to FOLDS - 1; equal groups are in one fold, and folds have as many groups each as can be."""
    order = sorted(set(groups), key=lambda name: (stable_integer("fold", name), name))
    fold = {name: number % FOLDS for number, name in enumerate(order)}
    return np.array([fold[name] for name in groups], np.int64)


def log_loss(probabilities: Floats, right: Bools) -> float:
    """Mean negative logarithm of the probability of what is the case."""
    truth = np.where(right, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(truth, _LEAST)).mean())


def _chosen(scores: Floats, right: Bools, folds: NDArray[np.int64]) -> Method:
    if len(np.unique(folds)) < 2:
        return "temperature"
    best, least = METHODS[0], _held_out_loss(METHODS[0], scores, right, folds)
    for method in METHODS[1:]:
        if (loss := _held_out_loss(method, scores, right, folds)) < least * (1 - _GAIN) or not np.isfinite(least):
            best, least = method, loss
    return best


def _held_out_loss(method: Method, scores: Floats, right: Bools, folds: NDArray[np.int64]) -> float:
    probabilities = np.empty(len(scores))
    for fold in np.unique(folds):
        out = folds == fold
        if (fitted := _fitted(method, scores[~out], right[~out])) is None:
            return float("inf")
        probabilities[out] = fitted.probability(scores[out])
    return log_loss(probabilities, right)


def _fitted(method: Method, scores: Floats, right: Bools) -> Calibration | None:
    """None if probabilities would fall with the score."""
    if method == "isotonic":
        return _isotonic(scores, right)
    slope, shift = _logistic(scores, right, intercept=method == "platt")
    if not (np.isfinite(slope) and np.isfinite(shift) and slope > 0):
        return None
    try:
        if method == "platt":
            return Calibration(method=method, slope=slope, shift=shift)
        return Calibration(method=method, temperature=1 / slope)
    except ConfigError:  # a slope next to nothing, whose inverse is no number
        return None


def _logistic(scores: Floats, right: Bools, *, intercept: bool) -> tuple[float, float]:
    """Slope and shift of the log-odds, by maximum likelihood against Platt's targets, which keep them finite where scores separate all."""
    from sklearn.linear_model import LogisticRegression

    positive, negative = int(right.sum()), int((~right).sum())
    target = np.where(right, (positive + 1) / (positive + 2), 1 / (negative + 2))
    scale = float(np.abs(scores).max()) or 1.0
    model: Any = LogisticRegression(C=np.inf, fit_intercept=intercept, max_iter=1000, tol=1e-8)
    rows = np.concatenate([scores, scores])[:, None] / scale
    classes = np.concatenate([np.ones(len(scores)), np.zeros(len(scores))])
    model.fit(rows, classes, sample_weight=np.concatenate([target, 1 - target]))
    return float(model.coef_[0, 0]) / scale, float(model.intercept_[0]) if intercept else 0.0


def _isotonic(scores: Floats, right: Bools) -> Calibration | None:
    from sklearn.isotonic import IsotonicRegression

    least = 1 / (len(scores) + 2)  # no finite sample makes an answer certain
    model: Any = IsotonicRegression(y_min=least, y_max=1 - least, increasing=True)
    model.fit(scores, right.astype(np.float64))
    points = np.asarray(model.X_thresholds_, np.float64), np.asarray(model.y_thresholds_, np.float64)
    keep = np.concatenate([[True], np.diff(points[0]) > 0])
    return Calibration(
        method="isotonic", scores=tuple(points[0][keep].tolist()), probabilities=tuple(np.maximum.accumulate(points[1][keep]).tolist())
    )
