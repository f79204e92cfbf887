"""What a decision was tuned on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from relsift.evaluation.scores import TypeScore
from relsift.json_schema import conform


@dataclass(frozen=True, kw_only=True)
class TunedOn:
    """For people, and for the table of `relsift decide`; no decision depends on it."""

    data: str
    checksums: dict[str, str]  # name of a data set -> sha256
    sentences: int  # annotated ones
    pairs: int  # candidates
    related: int  # candidates with a relation
    aim: str
    version: str  # of relsift
    relations: dict[str, TypeScore]  # relation type -> counts on this data

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: str) -> TunedOn:
        """Raises CheckpointError for what `to_json` does not write."""
        return conform(cls, value, where)
