"""Which documents lost relations in reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from relsift.corpora.losses import documents_with_losses
from relsift.readers.base import ReadReport
from relsift.schema import Document


@given(st.lists(st.lists(st.sampled_from("ab"), max_size=3), max_size=6), st.integers(0, 2))
def test_each_document_has_what_was_lost_while_it_was_read(losses: list[list[str]], after: int):
    report = ReadReport()
    report.lose_relation("relations of another file", "x", "a")  # counted before: of no document here

    def documents() -> Iterator[Document]:
        for number, types in enumerate(losses):
            for kind in types:
                report.lose_relation("relations across sentences", "x", kind)
            yield Document(str(number), ())
        for _ in range(after):
            report.lose_relation("relations across sentences", "x", "b")

    expected = [Counter(types) for types in losses]
    if expected:
        expected[-1]["b"] += after
    assert [+lost for _, lost in documents_with_losses(documents(), report)] == [+count for count in expected]

