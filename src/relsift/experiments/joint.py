"""Entities and relations together: the joint models of three papers, and a pipeline of two parts, on one corpus.

`--encoder FOLDER` names the transformer of the systems that read one; without it, only those on words can be trained.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.config import TRANSFORMER
from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.joint_layers import JOINT
from relsift.experiments.joint_parts import SPERT, SPERT_MT
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.blocks import Report

ON_WORDS = (
    JOINT,
    System(name="joint_birnn-tuned", title="BiRNN, tuned", model="joint_birnn", preset="tuned"),
    System(name="pipeline", title="pipeline", model="pipeline"),
)
SPERT_TUNED = System(name="spert-tuned", title="SpERT, trained transformer", model="spert", preset="tuned")
PIPELINE_FROZEN = System(name="pipeline-frozen", title="pipeline on the frozen transformer", model="pipeline", preset="frozen")
FOUND = {"both": "found entities too", "predicted": "found entities only"}  # values of training.pair_entities
ON_FOUND = tuple(
    replace(PIPELINE_FROZEN, name=f"{PIPELINE_FROZEN.name}-{kind}", title=f"the same, trained on {words}")
    .with_overrides(f"training.pair_entities={kind}")
    for kind, words in FOUND.items()
)  # fmt: skip
ON_TRANSFORMER = (
    System(name="joint_birnn-frozen", title="BiRNN on the frozen transformer", model="joint_birnn", preset="frozen"),
    PIPELINE_FROZEN,
    *ON_FOUND,
    System(name="spert-paper", title="SpERT, the paper's values", model="spert"),
    SPERT_TUNED,
    System(name="spert_mt-tuned", title="SpERT.MT, trained transformer", model="spert_mt", preset="tuned"),
    replace(SPERT, title="SpERT on the frozen transformer"),
    replace(SPERT_MT, title="SpERT.MT on the frozen transformer"),
    System(name="pipeline-encoder", title="pipeline on the transformer", model="pipeline", overrides=(f"model.encoder={TRANSFORMER}",)),
)
SYSTEMS = (*ON_WORDS, *ON_TRANSFORMER)
QUESTION = (
    "Which model finds entities and relations best from a sentence alone: layers of each task's own (Crone 2020), spans (SpERT), spans "
    "with further tasks (SpERT.MT), or a tagger and a model of pairs that share nothing?"
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Joint models", question=QUESTION, base=SPERT_TUNED)


EXPERIMENT = Experiment(
    name="joint", summary="models that find entities and relations together, and a pipeline", systems=lambda plan: SYSTEMS, report=report
)
