"""Which layer of an INCEpTION project holds the entities, which one the relations, and which of their features is the type.

Shared by the readers of its exports (WebAnno TSV, UIMA CAS). A layer is named in full (`webanno.custom.Person`) or by its last part
(`Person`). Layers that come with DKPro Core (tokens, lemmas, dependencies …) are taken only when they are named; NamedEntity is an
exception, since people annotate it by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from relsift.errors import DataError
from relsift.readers.base import ReadReport

NO_FEATURE = "none"  # as the name of a feature: the type is the name of the layer
_BUILT_IN = ("de.tudarmstadt.ukp.", "org.dkpro.", "uima.")
_NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_USUAL_FEATURES = ("value", "label")  # INCEpTION's own name, and a frequent one
_MOST_SHOWN = 12  # names in a message

OPEN_OPTIONS = {
    "entity_layer": "layer of the entities, such as NamedEntity; needed if there are several",
    "entity_feature": "its feature that is the type; needed if there are several and none is `value`; none: the layer's name is the type",
    "relation_layer": "layer of the relations; needed if there are several",
    "relation_feature": "its feature that is the type; as for entities",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user asked for; "" leaves the choice to the data."""

    entity_layer: str = ""
    entity_feature: str = ""
    relation_layer: str = ""
    relation_feature: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of spans or of relations."""

    name: str  # in full
    features: tuple[str, ...]  # those that may be a type
    bases: frozenset[str] = field(default_factory=frozenset)  # of a relation layer: layers that its relations join

    @property
    def short(self) -> str:
        """The name as a user knows it."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A layer and the feature that is its type; None: the layer's name is."""

    layer: Layer
    feature: str | None


def choose(
    spans: Sequence[Layer], relations: Sequence[Layer], choice: Choice, where: str
) -> tuple[Chosen | None, Chosen | None]:
    """The layers of entities and of relations; None where the file has none.

    A relation layer decides which layer its entities are in. Raises: DataError, naming the layers or features to choose from.
    """
    relation = _layer(relations, choice.relation_layer, "relation", where)
    wanted = choice.entity_layer
    if relation is not None and not wanted and len(relation.bases) == 1:
        wanted = next(iter(relation.bases))
    entity = _layer(spans, wanted, "entity", where)
    return (
        None if entity is None else Chosen(entity, _feature(entity, choice.entity_feature, "entity", where)),
        None if relation is None else Chosen(relation, _feature(relation, choice.relation_feature, "relation", where)),
    )


def count_others(layers: Collection[str], chosen: Sequence[Chosen | None], report: ReadReport, where: str) -> None:
    """Count the layers with annotations that are not read. Those of DKPro Core are not counted: they are no one's annotation."""
    read = {one.layer.name for one in chosen if one is not None}
    for name in sorted(set(layers) - read):
        if not _is_built_in(name):
            report.drop("layers that are not read", f"{where}: {name}")


def _is_built_in(name: str) -> bool:
    return name.startswith(_BUILT_IN) and name != _NAMED_ENTITY


def _layer(layers: Sequence[Layer], wanted: str, kind: str, where: str) -> Layer | None:
    if wanted:
        found = [layer for layer in layers if wanted in (layer.name, layer.short)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(sorted(layer.name for layer in layers)[:_MOST_SHOWN]) or "none"
        raise DataError(f"{where}: expected one {kind} layer with the name {wanted!r}, got {len(found)}; the file has {known}")
    made = [layer for layer in layers if not _is_built_in(layer.name)]
    if len(made) > 1:
        known = ", ".join(sorted(layer.name for layer in made)[:_MOST_SHOWN])
        raise DataError(f"{where}: expected one {kind} layer, got {len(made)}: {known}; name it with [{kind}_layer={made[0].short}]")
    return made[0] if made else None


def _feature(layer: Layer, wanted: str, kind: str, where: str) -> str | None:
    if wanted == NO_FEATURE or (not wanted and not layer.features):
        return None
    if wanted in layer.features:
        return wanted
    usual = next((name for name in _USUAL_FEATURES if name in layer.features), None)
    if not wanted and (len(layer.features) == 1 or usual is not None):
        return usual or layer.features[0]
    known = ", ".join(layer.features[:_MOST_SHOWN]) or "none"
    got = f"{wanted!r}" if wanted else f"{len(layer.features)}"
    raise DataError(
        f"{where}: expected one feature of {layer.name} as type, got {got}; it has {known}: name it with [{kind}_feature=NAME]"
    )
