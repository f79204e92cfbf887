"""The models that are served, by name. They are read once: a folder that is replaced afterwards changes nothing until the next start."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relsift.bundle import model_folder
from relsift.decisions.scored import Scored
from relsift.errors import CheckpointError
from relsift.extractor import RelationExtractor
from relsift.model_extras import CARD_FILE
from relsift.precision import Precision
from relsift.registry import find, table
from relsift.schema import Document, Entity, Sentence
from relsift.serving.results import decision_summary
from relsift.yaml_text import decode

_FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
_LICENCE_LINE = re.compile(r"^- \*\*Licence\*\*: ([\w.+-]+)", re.MULTILINE)


@dataclass(frozen=True)
class ServedModel:
    """A model and what its folder says of it."""

    name: str
    extractor: RelationExtractor
    language: str | None = None
    licence: str | None = None

    def summary(self, *, default: bool) -> dict[str, Any]:
        """As `relsift.serving.schemas.ServedModelSummary`."""
        extractor, bundle = self.extractor, self.extractor.bundle
        trees = getattr(bundle.scorer, "annotators", {})
        source = bundle.entity_source
        data = bundle.about.get("data")
        return {
            "name": self.name, "default": default, "architecture": bundle.name,
            "relations": list(extractor.labels), "entity_types": list(extractor.entity_types),
            "finds_entities": extractor.finds_entities,
            "annotators": [_without_folders(spec) for spec in (*trees.values(), *(() if source is None else source.specs))],
            "direction": extractor.candidates.direction, "all_scores": extractor.candidates.window == 1,
            "window": extractor.candidates.window,
            "decision": decision_summary(bundle.decision), "language": self.language, "licence": self.licence,
            "data": data if isinstance(data, str) else None, "checksum": extractor.checksum,
        }  # fmt: skip


def load(
    name: str,
    folder: str,
    *,
    device: str,
    precision: Precision,
    entities_from: Sequence[str] = (),
    types: Mapping[str, str | None] | None = None,
    cache_mb: float,
) -> ServedModel:
    """The model, read into memory with all that it reads, and warm. Raises CheckpointError or ConfigError as `from_pretrained`."""
    extractor = RelationExtractor.from_pretrained(folder, device, entities_from=entities_from, types=types, precision=precision)
    extractor.bundle.limit_cache(cache_mb)
    _warm_up(extractor)
    card = _card(model_folder(Path(folder)) / CARD_FILE)
    about = extractor.bundle.about
    language = _text(card.get("language") or about.get("language")) or _language_of(about.get("data"))
    return ServedModel(name, extractor, language, _licence(card) or _text(about.get("licence")))


def _licence(card: Mapping[str, Any]) -> str | None:
    """As a card says it, with the hub's words for one that it does not know, and for none."""
    named = _text(card.get("license_name" if card.get("license") == "other" else "license"))
    return None if named == "unknown" else named


def _without_folders(spec: str) -> str:
    """An annotator as others may see it: where its files lie is the server's matter."""
    kind, colon, argument = spec.partition(":")
    return kind + colon + Path(argument).name


def _warm_up(extractor: RelationExtractor) -> list[Scored]:
    """Load what loads itself when it is first needed: annotators, compiled kernels. Afterwards no file of the model is read again."""
    kinds = (*extractor.entity_types, "X", "X")[:2]
    entities = tuple(Entity(place, place + 1, kind) for place, kind in zip((0, 2), kinds))
    text = "Ada leads Acme."
    offsets = ((0, 3), (4, 9), (10, 14), (14, 15))
    sentence = Sentence("warm-up", ("Ada", "leads", "Acme", "."), entities, doc_id="warm-up", offsets=offsets)
    document = Document("warm-up", (sentence,), text)
    if extractor.candidates.window > 1:
        list(extractor.documents([document], entities="gold"))
        return []
    scored = list(extractor.scored([document], entities="gold"))
    if extractor.finds_entities:
        scored += extractor.scored([replace(document, sentences=(replace(sentence, entities=()),))])
    return scored


def _card(file: Path) -> dict[str, Any]:
    """What the head of a model card says; nothing if there is no card, or it has none."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{file}: expected a readable model card, got {error}; copy the folder again") from error
    if head := _FRONT_MATTER.match(text):
        try:
            value = decode(head[1])
        except ValueError as error:
            raise CheckpointError(f"{file}: expected YAML between the first two lines ---, got {error}; correct it there") from error
        return value if isinstance(value, dict) else {}
    licence = _LICENCE_LINE.search(text)
    return {} if licence is None else {"license": licence[1]}


def _language_of(data: Any) -> str | None:
    """That of the named corpus a model was trained on; None: it was something else."""
    if not isinstance(data, str) or data not in table("corpus"):
        return None
    language: str | None = find("corpus", data).language
    return language


def _text(value: Any) -> str | None:
    """A text of several, as model cards have languages."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return value if isinstance(value, str) and value else None
