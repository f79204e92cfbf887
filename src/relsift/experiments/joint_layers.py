"""Do layers of each task's own help to find entities and relations together? The claim of Crone (2020), asked of `joint_birnn`.

The source removes the task-specific layers. That also makes the model smaller and less deep, so two further systems share all layers. One
has as many layers as the source's settings, and by that exactly as many weights. The other has one layer, so wide that the weights are as
many. The numbers hold for word vectors of 300 numbers, the preset's.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.result import Results
from relsift.experiments.system import System
from relsift.report.blocks import Report

JOINT = System(name="joint_birnn", title="1 shared layer, 1 for entities, 2 for relations", model="joint_birnn")
ONE_SHARED = ("model.ner_layers=0", "model.re_layers=0")
WIDE = 695  # units of a direction with which one layer has as many weights as the four layers of 256, to 0.1 %
SHARED = replace(JOINT, name="joint_birnn-shared", title="1 shared layer").with_overrides(*ONE_SHARED)
DEEP = replace(JOINT, name="joint_birnn-deep", title="4 shared layers").with_overrides("model.shared_layers=4", *ONE_SHARED)
WIDE_SHARED = replace(JOINT, name="joint_birnn-wide", title=f"1 shared layer of {WIDE} units").with_overrides(
    f"model.units={WIDE}", *ONE_SHARED
)
SYSTEMS = (JOINT, SHARED, DEEP, WIDE_SHARED)
QUESTION = (
    "Do BiRNN layers of each task's own help, as Crone (2020) claims, or would as many layers or weights do as well where both tasks share "
    f'them? Every system is compared with "{JOINT.title}", the settings of the paper.'
)


def report(results: Results, command: str) -> Report:
    return full_report(results, command, title="Layers of a joint model", question=QUESTION, base=JOINT)


EXPERIMENT = Experiment(
    name="joint_layers", summary="a joint model with layers for each task, and with the same layers or weights shared",
    systems=lambda plan: SYSTEMS, report=report,
)  # fmt: skip
