"""Model folders of format 1, which relsift 0.1 wrote, in the form of format 2.

In format 1 `model.json` holds the threshold, an encoding without parts and the parser. The last layer of a model is called `head`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from relsift.annotators.base import Addition
from relsift.decisions.decision import Decision
from relsift.registry import find

Value = TypeVar("Value")


def upgraded(
    description: dict[str, Any], weights: Mapping[str, Value]
) -> tuple[dict[str, Any], Decision, dict[Addition, str], dict[str, Value]]:
    """Description, decision, annotators and weights as format 2 has them.

    Raises: KeyError, TypeError, ValueError or ConfigError for a broken folder.
    """
    encoding = dict(description["encoding"])  # TypeError or ValueError for what is no mapping
    parser = encoding.get("parser")
    return (
        description | {"encoding": _encoding(encoding, find("model", description["model"]).READS)},
        Decision(threshold=description["threshold"]),
        {} if parser is None else {"trees": parser},
        renamed(weights),
    )


def renamed(weights: Mapping[str, Value]) -> dict[str, Value]:
    """The weights under the names of format 2."""
    return {f"classifier.{name.removeprefix('head.')}" if name.startswith("head.") else name: value for name, value in weights.items()}


def _encoding(old: dict[str, Any], reads: frozenset[str]) -> dict[str, Any]:
    view = old.get("tags", "entities")
    encoding: dict[str, Any] = {
        "reads": sorted(reads),
        "unit": "pair" if view in ("pair", "others") and "tags" in reads else "sentence",
        "labels": old["labels"],
        "entity_types": old["entity_types"],
    }
    if "words" in reads:
        encoding["words"] = {"words": old["words"], "lowercase": old["lowercase"]}
    if "tags" in reads:
        counts, seed = old.get("tag_counts", ()), old.get("tag_seed", 0)
        encoding["tags"] = {"view": view, "counts": counts, "seed": seed, "lowercase": old["lowercase"]}
    if "trees" in reads:
        encoding["trees"] = {"dependencies": old.get("dependencies", ()), "pos": old.get("pos", ())}
    return encoding
