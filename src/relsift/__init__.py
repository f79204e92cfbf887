"""relsift: find the few related entity pairs among the many unrelated ones.

    from relsift import RelationExtractor
    rx = RelationExtractor.from_pretrained("runs/conll04")

Importing the package is fast: torch is loaded when the extractor is first asked for.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError, ServiceError, ShapeError
from relsift.schema import Document, Entity, Relation, Sentence

if TYPE_CHECKING:
    from relsift.client import Client
    from relsift.extractor import RelationExtractor

__version__ = "0.2.0"
__all__ = [
    "CheckpointError", "Client", "ConfigError", "DataError", "Document", "Entity", "Relation", "RelationExtractor", "RelsiftError",
    "Sentence", "ServiceError", "ShapeError", "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "RelationExtractor":
        collecting = gc.isenabled()
        gc.disable()  # importing torch makes many objects and hardly any garbage: looking for it again and again is time lost
        try:
            from relsift.extractor import RelationExtractor
        finally:
            if collecting:
                gc.enable()
        return RelationExtractor
    if name == "Client":
        from relsift.client import Client

        return Client
    raise AttributeError(f"module 'relsift' has no attribute {name!r}")
