"""A trained model as one folder: `model.safetensors` (weights) and `model.json` (everything else, and the weights' checksum).

No pickle. A folder is written beside its place and moved there whole, so a reader never sees half of one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from relsift.candidates import Candidates
from relsift.encoding.vocabulary import Encoding
from relsift.errors import CheckpointError, RelsiftError
from relsift.files import file_sha256, replaced_folder, write_json
from relsift.models.base.model import RelationModel
from relsift.registry import find

FORMAT = 1  # raised when model.json changes in a way that older versions cannot read
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


@dataclass(frozen=True)
class Bundle:
    """All that prediction needs: the model, its symbols, which pairs it scores, and how much score is enough."""

    name: str
    model: RelationModel[Any]
    encoding: Encoding
    candidates: Candidates
    threshold: float
    about: dict[str, Any] = field(default_factory=dict)  # free facts for people: data, setting, scores

    def save(self, folder: Path) -> None:
        """Write the folder atomically; an existing one is replaced."""
        with replaced_folder(folder) as fresh:
            weights = {name: tensor.detach().cpu().contiguous() for name, tensor in self.model.state_dict().items()}
            save_file(_without_aliases(weights), fresh / WEIGHTS)
            pairs = self.candidates.type_pairs
            description = {
                "format": FORMAT,
                "model": self.name,
                "options": self.model.config.to_dict(),
                "encoding": self.encoding.to_json(),
                "candidates": {
                    "direction": self.candidates.direction,
                    "type_pairs": None if pairs is None else sorted(pairs),
                    "max_distance": self.candidates.max_distance,
                    **({"order_leak": True} if self.candidates.order_leak else {}),
                },
                "threshold": self.threshold,
                "weights_sha256": file_sha256(fresh / WEIGHTS),
                "about": self.about,
            }
            write_json(fresh / DESCRIPTION, description)

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Raises CheckpointError naming the file if one is missing, altered, or of another version."""
        if not folder.is_dir():
            raise CheckpointError(
                f"{folder}: expected a model folder, got {'a file' if folder.exists() else 'nothing'}; train one first"
            )
        missing = [name for name in (DESCRIPTION, WEIGHTS) if not (folder / name).is_file()]
        if missing:
            raise CheckpointError(
                f"{folder}: expected {DESCRIPTION} and {WEIGHTS}, {' and '.join(missing)} missing; copy the whole folder again"
            )
        try:
            description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckpointError(f"{folder / DESCRIPTION}: expected JSON, got {error}; copy the folder again") from error
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            got = description.get("format") if isinstance(description, dict) else description
            raise CheckpointError(
                f"{folder / DESCRIPTION}: expected format {FORMAT}, got {got!r}; use the relsift version that wrote it"
            )
        found = file_sha256(folder / WEIGHTS)
        if found != description.get("weights_sha256"):
            raise CheckpointError(
                f"{folder / WEIGHTS}: expected sha256 {description.get('weights_sha256')}, got {found}; "
                "the weights were altered or belong to another model: copy the folder again"
            )
        try:
            return cls._from_description(description, load_file(folder / WEIGHTS))
        except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError, RelsiftError) as error:
            raise CheckpointError(
                f"{folder / DESCRIPTION}: does not describe the weights beside it: {' '.join(str(error).split())}"
            ) from error

    @classmethod
    def _from_description(cls, description: dict[str, Any], weights: dict[str, torch.Tensor]) -> Bundle:
        encoding = Encoding.from_json(description["encoding"])
        model = build(description["model"], description["options"], encoding)
        places = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
        saved = {places[name]: tensor for name, tensor in weights.items() if name in places}
        for name, place in places.items():
            if name not in weights and place in saved:  # a table that two parts share is saved once
                weights[name] = saved[place]
        model.load_state_dict(weights)
        model.eval()
        rule = description["candidates"]
        pairs = rule["type_pairs"]
        candidates = Candidates(
            direction=rule["direction"],
            type_pairs=None if pairs is None else frozenset((head, tail) for head, tail in pairs),
            max_distance=rule["max_distance"],
            order_leak=rule.get("order_leak", False),
        )
        return cls(description["model"], model, encoding, candidates, float(description["threshold"]), description["about"])


def build(name: str, options: dict[str, Any], encoding: Encoding) -> RelationModel[Any]:
    """A fresh model of a registered architecture. Raises ConfigError for unknown names and options."""
    architecture = find("model", name)
    model: RelationModel[Any] = architecture(architecture.Config.from_dict(options), encoding)
    return model


def _without_aliases(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """safetensors refuses two names for one storage; the first name stands for both."""
    seen: set[int] = set()
    kept: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if tensor.numel() and tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        kept[name] = tensor
    return kept
