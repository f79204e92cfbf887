"""Every registered model with every encoder that it takes, of tiny sizes, for conformance tests."""

from __future__ import annotations

import typing
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import pytest
import torch

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Input
from relsift.models.base.model import RelationModel
from relsift.registry import find, table
from toy import HAS_TRANSFORMERS, encoding, randomise

KNOWN = encoding()
MODELS = sorted(table("model"))
TINY_OPTIONS = {"bilstm": {"units": 4, "character_size": 2, "character_filters": 3, "case_size": 2, "dropout": 0.0}}  # of encoders


class Case(NamedTuple):
    """A model with one of the encoders that it takes, of tiny sizes."""

    name: str  # of the model
    encoder: str | None = None  # None: a model that takes none

    def __str__(self) -> str:
        return self.name if self.encoder is None else f"{self.name}+{self.encoder}"

    @property
    def architecture(self) -> type[RelationModel[Any]]:
        return find("model", self.name)

    @property
    def config(self) -> Any:
        config: Any = self.architecture.Config.tiny()
        if self.encoder is None or self.encoder == config.encoder:
            return config
        return replace(config, encoder=self.encoder, encoder_options=TINY_OPTIONS.get(self.encoder, {}))

    @property
    def reads(self) -> frozenset[Input]:
        return self.architecture.reads(self.config)


def takes(name: str, encoder: str) -> bool:
    """Whether the model can have the encoder: by the type of its option, and by what it reads."""
    architecture = find("model", name)
    option = typing.get_type_hints(architecture.Config).get("encoder")
    if typing.get_origin(option) is Literal:
        return encoder in typing.get_args(option)
    return option is str and "words" in architecture.READS


def parameter(case: Case, *more: Any, id: str = "") -> Any:
    """For pytest: skipped, with the reason, where a package is missing that the model needs."""
    missing = "subwords" in case.reads and not HAS_TRANSFORMERS
    marks = [pytest.mark.skip(reason="the packages of Hugging Face are missing")] if missing else []
    return pytest.param(case, *more, id=f"{case}{id}", marks=marks)


def cases() -> list[Case]:
    """Every model with every encoder that it takes."""
    found = []
    for name in MODELS:
        encoders = [encoder for encoder in sorted(table("encoder")) if takes(name, encoder)]
        found += [Case(name, encoder) for encoder in encoders] or [Case(name)]
    return found


def default(name: str) -> Case:
    """The model with its default encoder."""
    config: Any = find("model", name).Config.tiny()
    return Case(name, config.encoder) if hasattr(config, "encoder") and takes(name, config.encoder) else Case(name)


def tiny(case: Case, seed: int = 0) -> RelationModel[Any]:
    """The tiny model with weights that are large enough to tell inputs apart, ready to predict."""
    model = case.architecture(case.config, KNOWN)
    randomise(model, seed, scale=0.3)
    return model.eval()


def one_step(model: RelationModel[Any], batch: Batch) -> dict[str, float]:
    """Train one step; returns the loss parts before it."""
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    parts = model.loss(model(batch), batch)
    torch.stack(list(parts.values())).sum().backward()
    optimiser.step()
    return {part: value.item() for part, value in parts.items()}
