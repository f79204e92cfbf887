"""Which page of the guide explains an object of the API: every class and function of the reference links to it."""

from __future__ import annotations

import re

GUIDES = {  # object, or the module of the others -> text and target of each link: a page below docs/, perhaps with an anchor
    "relsift.extractor": "[from Python](how_to/python.md), [predict](how_to/predict.md)",
    "relsift.views": "[from Python](how_to/python.md)",
    "relsift.explanation": "[from Python](how_to/python.md)",
    "relsift.client": "[the service, from Python](serving.md#from-python)",
    "relsift.schema": "[formats](formats.md), [glossary](glossary.md)",
    "relsift.schema.RelationAcross": "[relations across sentences](how_to/across_sentences.md)",
    "relsift.schema.RelationOfConcepts": "[relations between concepts](formats.md#relations-between-concepts)",
    "relsift.schema.Syntax": "[annotators](annotators.md)",
    "relsift.evaluation.scores": "[evaluation conventions](evaluation.md)",
    "relsift.evaluation.facts": "[evaluation conventions](evaluation.md)",
    "relsift.evaluation.significance": "[is a difference chance?](evaluation.md#is-a-difference-chance)",
    "relsift.evaluation.calibration": "[probabilities](decisions.md#probabilities)",
    "relsift.evaluation.wrong_decisions": "[evaluation conventions](evaluation.md), [errors](results/errors.md)",
    "relsift.decisions.decision": "[decisions](decisions.md), [the file](decisions.md#the-file)",
    "relsift.decisions.calibration": "[probabilities](decisions.md#probabilities)",
    "relsift.decisions.scored": "[decisions](decisions.md)",
    "relsift.readers.base": "[formats](formats.md), [add a reader](internals/add_reader.md)",
    "relsift.writers.base": "[written formats](formats.md#written), [add a writer](internals/add_writer.md)",
    "relsift.corpora.data": "[corpora](corpora.md), [bring your data](how_to/data.md)",
    "relsift.models.base.model": "[models](models/README.md), [add a model](internals/add_model.md)",
    "relsift.models.base.pair_classifier": "[add a model](internals/add_model.md), [losses](losses.md)",
    "relsift.losses.base": "[losses](losses.md), [add a loss](internals/add_loss.md)",
    "relsift.encoders.base": "[encoders](encoders.md)",
    "relsift.encoding.batch": "[architecture](internals/architecture.md), [add a model](internals/add_model.md)",
    "relsift.annotators.base": "[annotators](annotators.md), [add an annotator](internals/add_annotator.md)",
    "relsift.config": "[train a model, settings](how_to/train.md#settings), [what training does](training.md)",
    "relsift.config.CandidateConfig": "[the candidate filter](evaluation.md#the-candidate-filter-and-what-it-is-worth)",
    "relsift.config.TextConfig": "[annotators](annotators.md), [from raw text](how_to/raw_text.md)",
    "relsift.training.run": "[what training does](training.md), [its files](training.md#what-is-written-and-when)",
    "relsift.training.loop": "[what training does](training.md)",
    "relsift.bundle": "[files of a model](internals/architecture.md#a-model-as-a-folder), [sharing a model](sharing.md)",
    "relsift.suggestions": "[what to annotate next](tuning.md#which-sentences-should-be-annotated-next)",
    "relsift.errors": "[files and exit statuses](files.md), [when something breaks](faults.md)",
}  # fmt: skip
_LINK = re.compile(r"\[(.+?)\]\((.+?)\)")


def line_of(path: str, module: str) -> str | None:
    """What the entry of an object says of its guide; None: no page explains it. Args: path: of the object. module: that it is in."""
    links = GUIDES.get(path, GUIDES.get(module))
    return None if links is None else f"Guide: {_LINK.sub(_reference, links)}."


def _reference(link: re.Match[str]) -> str:
    return f'<autoref identifier="{identifier(link[2])}">{link[1]}</autoref>'


def identifier(target: str) -> str:
    """By which autorefs knows the target. One that no page has is an error of the site."""
    return f"guide:{target}"
