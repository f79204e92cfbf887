"""A new decision for a trained model, tuned on annotated data without training, and put in the place of the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from relsift.bundle import DECISION_LOCK, ENSEMBLE, MEMBER_FOLDER, MODEL_FILE, MODEL_FOLDER, RUN_FILE, Bundle, model_folder
from relsift.decisions.aims import F1, Aim
from relsift.decisions.constraints import both_ways, learnt_triples, share_both_ways
from relsift.decisions.decision import DECISION_FILE, Decision
from relsift.decisions.fitting import calibrated
from relsift.decisions.provenance import TunedOn
from relsift.decisions.scored import Scored
from relsift.decisions.settings import Settings, changed
from relsift.decisions.tuning import TuningData, tuned
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import Scores
from relsift.files import locked
from relsift.inference import InferenceReport, score
from relsift.json_text import read_json
from relsift.model_source import is_own
from relsift.schema import Sentence
from relsift.shipped import located
from relsift.training.data import ScoringData
from relsift.training.predicting import evaluate_predicted
from relsift.training.run_folder import claimed


@dataclass(frozen=True)
class Change:
    """An old and a new decision, with their scores on the data that the new one was tuned on."""

    old: Decision
    new: Decision
    warnings: list[str]
    scores: tuple[Scores, Scores] | None = None  # of the old and the new one; None: nothing was scored

    def to_json(self) -> dict[str, Any]:
        old, new = (None, None) if self.scores is None else (self.scores[0].to_json(), self.scores[1].to_json())
        return {
            "old": {"decision": self.old.to_json(), "scores": old}, "new": {"decision": self.new.to_json(), "scores": new},
            "warnings": self.warnings,
        }  # fmt: skip


def with_learnt(decision: Decision, training: Sequence[Sentence], bundle: Bundle) -> Decision:
    """The decision with the triples, and the symmetric and inverse relations, of training data; constraints are on.

    Types of relations that the model does not know are left out.
    """
    labels, direction = bundle.encoding.labels, bundle.candidates.direction
    triples = frozenset(triple for triple in learnt_triples(training, direction) if triple[-1] in labels)
    if not triples:
        raise DataError("--learn-from: expected annotated relations that the model knows, got none")
    symmetric, inverse = both_ways(training) if direction == "directed" else ((), {})
    return replace(
        decision, triples=triples, constraints=True, symmetric=tuple(name for name in symmetric if name in labels),
        inverse={name: other for name, other in inverse.items() if name in labels and other in labels},
    )  # fmt: skip


def change(
    bundle: Bundle,
    texts: Sequence[str],
    *,
    training: Sequence[Sentence] | None = None,
    data: ScoringData | None = None,
    checksums: Mapping[str, str] | None = None,
    aim: Aim = F1,
    per_relation: bool = False,
) -> Change:
    """The bundle's decision with the settings of a user, tuned on data where they leave something open.

    Args:
        texts: as of `relsift.decisions.settings.changed`.
        training: to learn triples from, and symmetric relations if a setting asks for them.
        data: to tune on; None: thresholds stay as they are. checksums: of it, by name.
    Raises: ConfigError for settings that do not fit the model; DataError for data that nothing can be tuned on.
    """
    old, labels = bundle.decision, bundle.encoding.labels
    base, detected = old, None
    if training is not None:
        detected = with_learnt(old, training, bundle)
        base = replace(old, triples=detected.triples, constraints=True)
    settings = changed(base, texts, labels, detected)
    if training is not None:
        settings = replace(settings, given=settings.given | {"constraints"})
    settings.decision.checked_for(labels, bundle.candidates.direction)
    if data is None:
        return _without_data(old, settings)
    return _tuned(bundle, settings, data, dict(checksums or {}), aim, per_relation=per_relation)


def _without_data(old: Decision, settings: Settings) -> Change:
    new, warnings = settings.decision, list(settings.warnings)
    if settings.calibration is not None:
        raise ConfigError(f"--set calibration={settings.calibration}: expected data to fit it on, got none; name it with --data")
    if new == old:
        return Change(old, new, warnings)
    other_choices = settings.changes_choices(old)
    if other_choices and new.calibration is not None:
        new = replace(new, calibration=None)
        warnings.append("relations get no probability any more, since the calibration was fitted on other choices; --data fits a new one")
    if other_choices:
        warnings.append("the thresholds were tuned with other rules; --data tunes them anew")
    return Change(old, new if settings.given == {"calibration"} else replace(new, tuned_on=None), warnings)


def _tuned(
    bundle: Bundle, settings: Settings, data: ScoringData, checksums: dict[str, str], aim: Aim, *, per_relation: bool
) -> Change:
    labels, direction = bundle.encoding.labels, bundle.candidates.direction
    sentences = [sentence for sentence in data.sentences if sentence.relations is not None]
    report = InferenceReport()
    scored = score(bundle.scorer, sentences, report)
    if not any(sentence.pairs for sentence in scored):
        advice = "name data with two entities a sentence, of types that can be related; if the model finds none, train it longer"
        raise DataError(f"{data.name}: expected candidate pairs to tune on, got none; {advice}")
    kept = {name: value for name, value in settings.decision.thresholds.items() if name in settings.relations}
    base = replace(settings.decision, thresholds=kept, calibration=None, tuned_on=None)
    tuning_data = TuningData(sentences, scored, labels, direction)
    result = tuned(base, tuning_data, aim=aim, keep_common="threshold" in settings.given, per_relation=per_relation)
    decision, warnings = result.decision, [*settings.warnings, *_one_way(base, sentences), *result.warnings]
    if "calibration" not in settings.given or settings.calibration is not None:
        calibration, further = calibrated(decision, scored, labels, settings.calibration)
        decision, warnings = replace(decision, calibration=calibration), [*warnings, *further]
    old, new = (_scores(bundle, one, sentences, scored, report, data) for one in (bundle.decision, decision))
    tuned_on = TunedOn(
        data=data.name, checksums=checksums, sentences=len(sentences), pairs=report.candidates.kept, related=report.candidates.positive,
        aim=aim.name, version=version("relsift"), relations=new.per_type,
    )  # fmt: skip
    return Change(bundle.decision, replace(decision, tuned_on=tuned_on), warnings, (old, new))


def _scores(
    bundle: Bundle, decision: Decision, sentences: Sequence[Sentence], scored: Sequence[Scored], report: InferenceReport, data: ScoringData
) -> Scores:
    predicted = [decision.decide(sentence, bundle.encoding.labels) for sentence in scored]
    return evaluate_predicted(bundle, sentences, predicted, report).with_lost_relations(data.lost_relations)


def _one_way(decision: Decision, sentences: Sequence[Sentence]) -> Iterator[str]:
    """A warning for each relation that is declared to hold in both directions, and is mostly annotated in one."""
    for name, other in [*((name, name) for name in decision.symmetric), *decision.inverse.items()]:
        share, total = share_both_ways(sentences, name, other)
        if total and share < 0.5:
            beside = "the reverse" if name == other else f"{other} of the reversed pair"
            found = f"only {100 * share:.0f} % of {total} annotations have {beside} beside them"
            yield f"{name}: {found}; relations written twice count as errors"


def folder_to_decide(run: Path, *, changes: bool) -> Path:
    """The model folder.

    Args: changes: whether its decision is to be changed.
    Raises: ConfigError if a change would break it: of a member of an ensemble, which knows the checksums of its members, and of a model
        that comes with relsift.
    """
    folder = model_folder(run)
    if not changes:
        return folder
    if not is_own(run):
        got = "an archive or one of the hub" if located(run) == run else "one that comes with relsift"
        raise ConfigError(f"{run}: expected a model of your own to change, got {got}; copy {folder} and change that")
    around = folder.resolve().parent / MODEL_FILE
    is_member = folder.resolve().name.startswith(MEMBER_FOLDER.format("")) and around.is_file()
    if is_member and ENSEMBLE in read_json(around):
        advice = f"change the decision of {around.parent}"
        raise ConfigError(f"{folder}: expected a model that stands alone, got a member of an ensemble; {advice}")
    return folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The model folder for this process alone within the block; no process may train in the run around it."""
    busy = f"{folder}: expected a model that no other process changes, got one where one does; try again when it is done"
    around = folder.resolve().parent
    with ExitStack() as stack:
        if folder.resolve().name == MODEL_FOLDER and (around / RUN_FILE).is_file():  # also if the model folder in the run was named
            stack.enter_context(claimed(around, busy=busy))
        stack.enter_context(locked(folder / DECISION_LOCK, busy=busy, remove=True, place=folder))
        yield


def store(bundle: Bundle, decision: Decision, folder: Path) -> None:
    """Put the decision in the place of the old one; who reads the folder sees either. A folder of format 1 becomes one of format 2."""
    if (folder / DECISION_FILE).is_file():
        decision.save(folder)
    else:
        replace(bundle, decision=decision).save(folder)
