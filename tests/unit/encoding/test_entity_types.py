"""Entity types as numbers."""

from __future__ import annotations

from relsift.encoding.types import UNKNOWN_TYPE, EntityTypes
from relsift.schema import Entity, Sentence

SENTENCE = Sentence("1", ("a", "b"), (Entity(0, 1, "PER"), Entity(1, 2, "ORG")))


def test_types_are_numbered_in_alphabetical_order_and_those_never_seen_are_unknown():
    types = EntityTypes.fit([SENTENCE])
    assert types.names == ("ORG", "PER")
    assert [types.id(name) for name in ("ORG", "PER", "VEH")] == [0, 1, UNKNOWN_TYPE] == [0, 1, -1]


def test_types_of_entities_that_tags_show_count_too():
    tagged = Sentence("2", ("a",), (), tagged=(Entity(0, 1, "VEH"),))
    assert EntityTypes.fit([SENTENCE, tagged]).names == ("ORG", "PER", "VEH")
