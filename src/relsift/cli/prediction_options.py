"""Options that the commands share that use a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from relsift import precision
    from relsift.bundle import Bundle
    from relsift.evaluation import scores

Device = Annotated[str, typer.Option(help="Where scores are computed: cpu, cuda, cuda:1 …, or auto for a GPU if there is one.")]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="float32|bfloat16",
        help="Of the model: bfloat16 is faster with transformers, on a GPU or processor that has it; scores move a little.",
    ),
]
Entities = Annotated[
    str | None,
    typer.Option(
        "--entities",
        metavar="gold|predicted",
        help="Relate the annotated entities, or those that the model finds. The usual: predicted if the model finds entities, else gold.",
        show_default=False,
    ),
]
Match = Annotated[
    str,
    typer.Option(
        "--match",
        metavar="strict|boundaries",
        help="What makes a predicted entity right, also at the ends of a relation: span and type, or the span alone.",
    ),
]


def as_precision(value: str) -> precision.Precision:
    """The value of --precision. Raises ConfigError for another word."""
    from relsift.errors import require

    require(value in ("float32", "bfloat16"), "--precision", expected="float32 or bfloat16", got=value)
    return "bfloat16" if value == "bfloat16" else "float32"


def convention(entities: str | None, match: str) -> tuple[scores.Entities | None, scores.Match]:
    """The values of --entities and --match. Raises ConfigError for others."""
    from relsift.errors import require
    from relsift.evaluation.scores import ENTITIES, MATCHES

    given = next((value for value in ENTITIES if value == entities), None)
    require(given is not None or entities is None, "--entities", expected="gold or predicted", got=entities)
    matched = next((value for value in MATCHES if value == match), None)
    require(matched is not None, "--match", expected="strict or boundaries", got=match)
    return given, matched or "strict"


def whose_entities(bundle: Bundle, entities: str | None, match: str) -> tuple[scores.Entities, scores.Match]:
    """The values of --entities and --match for a model. Raises ConfigError for others, and for what the model cannot do."""
    from relsift.inference import entities_of

    given, matched = convention(entities, match)
    has_annotator = bundle.entity_source is not None
    used = entities_of(bundle.scorer, given, has_annotator=has_annotator)
    _check_match(used, matched, can_predict=bundle.scorer.finds_entities or has_annotator)
    return used, matched


def _check_match(entities: scores.Entities, match: scores.Match, *, can_predict: bool) -> None:
    """Raises ConfigError for a match that gold entities would leave without effect."""
    from relsift.errors import require

    advice = "leave it out" + (", or take --entities predicted" if can_predict else "")
    expected = f"strict with gold entities, which are right anyway; {advice}"
    require(entities == "predicted" or match == "strict", "--match", expected=expected, got=match)


def of_model(name: str, entities: str | None, match: str) -> tuple[scores.Entities | None, scores.Match]:
    """The values of --entities and --match for a model that is not trained yet. Raises ConfigError as `whose_entities` does."""
    from relsift.errors import ConfigError
    from relsift.models.base.joint_model import finds_entities

    given, matched = convention(entities, match)
    finds = finds_entities(name)
    if given == "predicted" and not finds:
        raise ConfigError(f"--entities: expected gold for {name}, which finds no entities itself, got predicted; take a joint model")
    _check_match(given or ("predicted" if finds else "gold"), matched, can_predict=finds)
    return given, matched
