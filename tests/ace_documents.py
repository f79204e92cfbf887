"""Documents in the format of ACE 2005: the shipped corpus, written as `.sgm` and `.apf.xml`, one pair a document."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from relsift.schema import Document, Entity


def write_ace(documents: Iterable[Document], folder: Path) -> int:
    """Returns how many were written. Each needs its text, and entities that know their characters."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for document in documents:
        assert document.text is not None
        name = quoteattr(document.id)
        body = escape(document.text)  # offsets count `&amp;` as five characters
        head = f"<DOC>\n<DOCID> {document.id} </DOCID>\n<BODY>\n<TEXT>\n"
        (folder / f"{document.id}.sgm").write_text(f"{head}{body}\n</TEXT>\n</BODY>\n</DOC>\n", encoding="utf-8")
        before = len(f"\n {document.id} \n\n\n")  # what is left of the head without its tags
        lines: list[str] = []
        for number, sentence in enumerate(document.sentences):
            mentions = {position: f"{document.id}-E{number}-{position}" for position in range(len(sentence.entities))}
            for position, entity in enumerate(sentence.entities):
                span = _span(document.text, entity, before)
                lines += [
                    f'<entity ID="{mentions[position]}" TYPE="{entity.type}" SUBTYPE="Other" CLASS="SPC">',
                    f'<entity_mention ID="{mentions[position]}-1" TYPE="NAM"><extent>{span}</extent><head>{span}</head></entity_mention>',
                    "</entity>",
                ]
            for place, relation in enumerate(sentence.relations or ()):
                key = f"{document.id}-R{number}-{place}"
                ends = [mentions[relation.head], mentions[relation.tail]]
                roles = [f'REFID="{end}-1" ROLE="Arg-{role}"' for role, end in enumerate(ends, start=1)]
                chars = [sentence.entities[end].chars for end in (relation.head, relation.tail)]
                start, end = min(c[0] for c in chars if c), max(c[1] for c in chars if c)
                lines += [
                    f'<relation ID="{key}" TYPE="{relation.type}" SUBTYPE="Other">',
                    f'<relation_mention ID="{key}-1"><extent>{_charseq(document.text, start, end, before)}</extent>',
                    *(f"<relation_mention_argument {role}/>" for role in roles),
                    "</relation_mention>\n</relation>",
                ]
        opened, closed = f'<?xml version="1.0"?>\n<source_file URI={name}><document DOCID={name}>', "</document></source_file>\n"
        apf = "\n".join([opened, *lines, closed])
        (folder / f"{document.id}.apf.xml").write_text(apf, encoding="utf-8")
        count += 1
    return count


def _span(text: str, entity: Entity, before: int) -> str:
    assert entity.chars is not None
    return _charseq(text, *entity.chars, before)


def _charseq(text: str, start: int, end: int, before: int) -> str:
    first = before + len(escape(text[:start]))
    return f'<charseq START="{first}" END="{first + len(escape(text[start:end])) - 1}">{escape(escape(text[start:end]))}</charseq>'
