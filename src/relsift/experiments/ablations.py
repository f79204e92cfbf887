"""Which part of the tag gain is the pattern of all entities, and which is only the types of the two that are asked about?

Each row changes what the tags of +Tag (ranking loss, no second task) show; the model stays the same (see
`encoding.tags`). Two rows control for size: tags that say nothing, and words that are wider by the size of a tag embedding. Two ask how far
types go alone: a model that reads tags and distances but no words, and one that reads nothing but the two types.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.experiments.experiment import Experiment, differences, full_report
from relsift.experiments.report import tables
from relsift.experiments.result import Plan, Results
from relsift.experiments.system import BASE, TAG, System
from relsift.report.blocks import Report, Section


def _tags(name: str, title: str, view: str) -> System:
    return replace(TAG, name=f"tag_{name}", title=title).with_overrides(f"encoding.tags={view}")


ALL_WORDS_UNKNOWN = "encoding.min_count=1000000"

CONTROLS = (
    _tags("iid", "random tags, token by token", "random"),
    _tags("word", "random tags, fixed by word", "word"),
    _tags("constant", "constant tag", "constant"),
    replace(BASE, name="base_wide", title="no tags, wider words").with_overrides("model.word_size=250"),
)
VIEWS = (
    _tags("untyped", "all entities, no types", "untyped"),
    _tags("pair", "the pair's tags only", "pair"),
    _tags("others", "the other entities' tags only", "others"),
)
PREDICTED = (
    replace(TAG, name="tag_predicted_test", title="predicted tags at test", tagger="test"),
    replace(TAG, name="tag_predicted", title="predicted tags in training too", tagger="both"),
)
TYPES = (
    replace(TAG, name="tag_no_words", title="tags and distances, no words").with_overrides(ALL_WORDS_UNKNOWN),
    System(name="type_prior", title="the pair's types alone", model="type_prior"),
)
SYSTEMS = (BASE, TAG, *VIEWS, *CONTROLS, *PREDICTED, *TYPES)
DRAWN = (BASE, TAG, *VIEWS, TYPES[-1])
QUESTION = (
    "Which part of what tags gain is the pattern of all entities of the sentence, as Ye et al. (ACL 2019) have it, and which is only the "
    "types of the two entities that are asked about? If the pair's own tags do as well as all, it is the types."
)
NOTE = (
    "Predicted tags come from a tagger trained on each fold's training part; the entities of the candidate pairs stay the annotated ones. "
    "The tagger's tags in the training part are jack-knifed, so that they are as noisy as those in the test part."
)


def report(results: Results, command: str) -> Report:
    sections = []
    against_tag = differences(results, TAG)
    if results.of(TAG) and against_tag:
        sections.append(Section("Against +Tag: what is lost", (tables.difference_table(results, TAG, against_tag),)))
    return full_report(results, command, title="Ablations", question=QUESTION, base=BASE, more=sections, notes=[NOTE], drawn_systems=DRAWN)


def systems(plan: Plan) -> tuple[System, ...]:
    return SYSTEMS


EXPERIMENT = Experiment(
    name="ablations", summary="what the tags must show to help: all entities, the pair, types, nothing", systems=systems, report=report
)
