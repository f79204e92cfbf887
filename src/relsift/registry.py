"""What users can name: formats, splitters, annotators, encoders, losses, models, corpora, experiments.

Each table maps a name to "module:attribute". The module is imported when the name is looked up. A plug-in adds a name by an entry point in
the group `GROUPS[kind]`, such as `relsift.readers`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from relsift.errors import ConfigError, RelsiftError

READERS = {
    "native": "relsift.readers.native:READER",
    "gazette": "relsift.readers.gazette:READER",
    "ace2005": "relsift.readers.ace2005:READER",
    "ade_folds": "relsift.readers.ade:FOLDS",
    "ade_rel": "relsift.readers.ade:REL",
    "bioc": "relsift.readers.bioc:READER",
    "bionlp": "relsift.readers.bionlp:READER",
    "brat": "relsift.readers.brat:READER",
    "crossre": "relsift.readers.crossre:READER",
    "conllu": "relsift.readers.conllu_data:READER",
    "ddi2013": "relsift.readers.ddi2013:READER",
    "doccano": "relsift.readers.doccano:READER",
    "docred": "relsift.readers.docred:READER",
    "dygie": "relsift.readers.dygie:READER",
    "label_studio": "relsift.readers.label_studio:READER",
    "multihead": "relsift.readers.multihead:READER",
    "prodigy": "relsift.readers.prodigy:READER",
    "pubtator": "relsift.readers.pubtator:READER",
    "semeval2010": "relsift.readers.semeval2010:READER",
    "spacy": "relsift.readers.spacy_docs:READER",
    "spert": "relsift.readers.spert:READER",
    "store": "relsift.readers.store:READER",
    "table": "relsift.readers.table:READER",
    "tacred": "relsift.readers.tacred:READER",
    "text": "relsift.readers.text:READER",
    "triples": "relsift.readers.triples:READER",
    "uima": "relsift.readers.uima:READER",
    "webanno": "relsift.readers.webanno:READER",
}
SPLITTERS = {
    "rules": "relsift.annotators.splitters:RulesSplitter",
    "sentencex": "relsift.annotators.splitters:SentencexSplitter",
    "spacy": "relsift.annotators.splitters_spacy:SpacySplitter",
}
WRITERS = {
    "native": "relsift.writers.native:WRITER",
    "html": "relsift.writers.html:WRITER",
    "brat": "relsift.writers.brat:WRITER",
    "csv": "relsift.writers.csv:WRITER",
    "parquet": "relsift.writers.parquet:WRITER",
    "store": "relsift.writers.store:WRITER",
    "turtle": "relsift.writers.turtle:WRITER",
    "jsonld": "relsift.writers.jsonld:WRITER",
    "neo4j": "relsift.writers.neo4j:WRITER",
    "graphml": "relsift.writers.graphml:WRITER",
    "gexf": "relsift.writers.gexf:WRITER",
    "displacy": "relsift.writers.displacy:WRITER",
    "spacy": "relsift.writers.spacy:WRITER",
    "label_studio": "relsift.writers.label_studio:WRITER",
    "doccano": "relsift.writers.doccano:WRITER",
    "prodigy": "relsift.writers.prodigy:WRITER",
    "pubtator": "relsift.writers.pubtator:WRITER",
    "bioc": "relsift.writers.bioc:WRITER",
}
ANNOTATORS = {  # that add trees
    "spacy": "relsift.annotators.spacy_trees:SpacyTrees",
}
ENTITY_ANNOTATORS = {
    "spacy": "relsift.annotators.spacy_entities:SpacyEntities",
    "lac": "relsift.annotators.lac_entities:LacEntities",
    "patterns": "relsift.annotators.pattern_entities:PatternEntities",
    "model": "relsift.model_entities:ModelEntities",
}
ENCODERS = {
    "bilstm": "relsift.encoders.bilstm:BiLSTMEncoder",
    "huggingface": "relsift.encoders.huggingface:HuggingFaceEncoder",
    "lookup": "relsift.encoders.lookup:LookupEncoder",
}
LOSSES = {
    "adaptive_focal": "relsift.losses.adaptive_focal:AdaptiveFocal",
    "asymmetric": "relsift.losses.asymmetric:Asymmetric",
    "atloss": "relsift.losses.atloss:ATLoss",
    "binary_cross_entropy": "relsift.losses.binary_cross_entropy:BinaryCrossEntropy",
    "class_balanced": "relsift.losses.class_balanced:ClassBalanced",
    "cross_entropy": "relsift.losses.cross_entropy:CrossEntropy",
    "focal": "relsift.losses.focal:Focal",
    "logit_adjustment": "relsift.losses.logit_adjustment:LogitAdjustment",
    "multilabel_cross_entropy": "relsift.losses.multilabel_cross_entropy:MultilabelCrossEntropy",
    "ncrl": "relsift.losses.ncrl:NoneClassRanking",
    "ranking": "relsift.losses.ranking:Ranking",
    "ssr_pu": "relsift.losses.ssr_pu:ShiftedPositiveUnlabelled",
}
MODELS = {
    "bilstm_pcnn": "relsift.models.bilstm_pcnn:BiLSTMPCNN",
    "cr_cnn": "relsift.models.cr_cnn:CRCNN",
    "eatt_bigru": "relsift.models.eatt_bigru:EAttBiGRU",
    "joint_birnn": "relsift.models.joint_birnn:JointBiRNN",
    "multitask_cnn": "relsift.models.multitask_cnn:MultiTaskCNN",
    "multiwindow_cnn": "relsift.models.multiwindow_cnn:MultiWindowCNN",
    "packed_markers": "relsift.models.packed_markers:PackedMarkers",
    "pcnn": "relsift.models.pcnn:PCNN",
    "pipeline": "relsift.models.pipeline:Pipeline",
    "spert": "relsift.models.spert:SpERT",
    "spert_mt": "relsift.models.spert_mt:SpERTMT",
    "sptree": "relsift.models.sptree:SPTree",
    "type_prior": "relsift.models.type_prior:TypePrior",
    "typed_markers": "relsift.models.typed_markers:TypedMarkers",
    "walk": "relsift.models.walk:WalkModel",
}
CORPORA = {
    "gazette-en": "relsift.corpora.catalogue:GAZETTE_EN",
    "gazette-zh": "relsift.corpora.catalogue:GAZETTE_ZH",
    "ade": "relsift.corpora.catalogue:ADE",
    "biored": "relsift.corpora.catalogue:BIORED",
    "chinese_literature": "relsift.corpora.catalogue:CHINESE_LITERATURE",
    "conll04": "relsift.corpora.catalogue:CONLL04",
    "ddi2013": "relsift.corpora.catalogue:DDI2013",
    "pgxcorpus": "relsift.corpora.catalogue:PGXCORPUS",
    "scicn": "relsift.corpora.catalogue:SCICN",
    "scienceie": "relsift.corpora.catalogue:SCIENCEIE",
    "scierc": "relsift.corpora.catalogue:SCIERC",
    "semeval2010": "relsift.corpora.catalogue:SEMEVAL2010",
}
EXPERIMENTS = {
    "cv": "relsift.experiments.cv:EXPERIMENT",
    "table1": "relsift.experiments.table1:EXPERIMENT",
    "table2": "relsift.experiments.table2:EXPERIMENT",
    "table3": "relsift.experiments.table3:EXPERIMENT",
    "table4": "relsift.experiments.table4:EXPERIMENT",
    "figure3": "relsift.experiments.figure3:EXPERIMENT",
    "errors": "relsift.experiments.error_kinds:EXPERIMENT",
    "ablations": "relsift.experiments.ablations:EXPERIMENT",
    "evaluation_habits": "relsift.experiments.evaluation_habits:EXPERIMENT",
    "encoders": "relsift.experiments.encoders:EXPERIMENT",
    "losses": "relsift.experiments.losses:EXPERIMENT",
    "joint_layers": "relsift.experiments.joint_layers:EXPERIMENT",
    "joint": "relsift.experiments.joint:EXPERIMENT",
    "joint_parts": "relsift.experiments.joint_parts:EXPERIMENT",
    "tag_gain": "relsift.experiments.tag_gain:EXPERIMENT",
}
TABLES = {
    "reader": READERS, "writer": WRITERS, "annotator": ANNOTATORS, "entity_annotator": ENTITY_ANNOTATORS,
    "splitter": SPLITTERS, "encoder": ENCODERS, "loss": LOSSES, "model": MODELS, "corpus": CORPORA, "experiment": EXPERIMENTS,
}  # fmt: skip
PLURALS = {"corpus": "corpora", "loss": "losses"}  # of all other kinds: with an s
GROUPS = {kind: f"relsift.{PLURALS.get(kind, kind + 's')}" for kind in TABLES}
BASES = {
    "reader": "relsift.readers.base:Reader", "writer": "relsift.writers.base:Writer", "annotator": "relsift.annotators.base:NamedAnnotator",
    "entity_annotator": "relsift.annotators.base:NamedAnnotator", "splitter": "relsift.annotators.splitters:Splitter",
    "encoder": "relsift.encoders.base:TokenEncoder", "loss": "relsift.losses.base:PairLoss",
    "model": "relsift.models.base.model:RelationModel",
    "corpus": "relsift.corpora.catalogue:Corpus", "experiment": "relsift.experiments.experiment:Experiment",
}  # fmt: skip
CLASS_ATTRIBUTES = {  # of kinds that are classes
    "annotator": ("ADDS",), "entity_annotator": ("ADDS",), "splitter": (), "encoder": (),
    "loss": ("SUMMARY", "SEVERAL_LABELS", "NONE_COLUMN"),
    "model": ("Config", "PRESETS", "SUMMARY", "READS"),
}  # fmt: skip
FORMER_NAMES = {("experiment", "imitation"): "evaluation_habits"}  # (kind, old name) -> name


@cache
def plug_ins() -> Any:  # of a class that differs between versions of Python
    """Those of every kind, and what else the installed packages declare: one look at all packages, which takes 0.03 s."""
    return entry_points()


@cache
def table(kind: str) -> dict[str, str]:
    """Name -> "module:attribute", of relsift and of installed plug-ins. Raises ConfigError if a plug-in repeats a name."""
    names = dict(TABLES[kind])
    for point in plug_ins().select(group=GROUPS[kind]):
        if point.name in names:
            raise ConfigError(f"plug-in {point.value}: expected a new {kind} name, got {point.name!r}, which {names[point.name]} has")
        names[point.name] = point.value
    return names


def find(kind: str, name: str) -> Any:
    """The object that a name stands for. Raises ConfigError with similar names for an unknown one, and for a plug-in that is broken."""
    names = table(kind)
    name = FORMER_NAMES.get((kind, name), name)
    if name not in names:
        raise unknown_name(kind, name, names)
    try:
        point = EntryPoint(name, names[name], GROUPS[kind])
        if not point.attr:
            raise AttributeError("a module and no attribute of it")
        value = point.load()
        if name not in TABLES[kind]:
            _check_plug_in(kind, value)
        return value
    except RelsiftError:
        raise
    except Exception as error:  # the import of a plug-in runs code that is not ours
        problem = f"expected {names[name]!r}, which it stands for, got {type(error).__name__}: {error}"
        raise ConfigError(f"{kind} {name}: {problem}; mend that package, or uninstall it") from error


def unknown_name(where: str, name: str, names: Iterable[str]) -> ConfigError:
    """An error to raise for a name that is none of `names`; it has the similar ones."""
    known = sorted(names)
    close_matches = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close_matches)}?" if close_matches else ""
    return ConfigError(f"{where}: expected one of {', '.join(known)}, got {name!r}{hint}")


def _check_plug_in(kind: str, value: Any) -> None:
    """Raises TypeError for an object that is nothing of its kind, or lacks an attribute that others read before they make one."""
    base = EntryPoint("", BASES[kind], "").load()
    is_class = kind in CLASS_ATTRIBUTES
    if not (isinstance(value, type) and issubclass(value, base) if is_class else isinstance(value, base)):
        raise TypeError(f"{value!r}, expected {'a subclass' if is_class else 'an instance'} of {BASES[kind]}")
    missing = [name for name in CLASS_ATTRIBUTES.get(kind, ()) if not hasattr(value, name)]
    if missing:
        raise TypeError(f"{value!r} without {', '.join(missing)}")
