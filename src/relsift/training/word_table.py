"""The initial word embeddings, and whether they are trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from relsift.config import RunConfig
from relsift.encoding.encoding import Encoding
from relsift.encoding.vectors import VectorReport, read_vectors
from relsift.errors import ConfigError
from relsift.models.base.model import RelationModel


def prepare_words(config: RunConfig, model: RelationModel[Any], encoding: Encoding) -> VectorReport | None:
    """Fill a fresh model's word table from the configured file of word vectors, and freeze the table if so configured.

    Words that the file does not have, and the unknown word, keep their random weights.

    Returns: a report on the vectors; None if no file is configured.
    Raises: ConfigError if the model has no word table, or one of another size; DataError for a broken file.
    """
    file = config.encoding.vectors
    encoders = [(encoder, table) for encoder in model.encoders if (table := encoder.word_table()) is not None]
    if not encoders or encoding.words is None:
        if file is None and not config.training.freeze_words:
            return None
        option = "encoding.vectors" if file is not None else "training.freeze_words"
        raise ConfigError(f"{option}: expected a model with word embeddings, got {config.model.name}; leave the option out")
    report = None
    if file is not None:
        vectors = read_vectors(Path(file), encoding.words.all)
        further = len(encoding.words.further)
        report = replace(vectors.report, words=len(encoding.words.words), found=vectors.report.found - further, further=further)
        values = config.encoding.vectors_scale * torch.from_numpy(vectors.values)
        rows = torch.from_numpy(vectors.positions) + 1  # row 0 is the unknown word
        for _, table in encoders:
            if report.size != table.embedding_dim:
                raise ConfigError(
                    f"model.word_size: expected {report.size}, the size of the vectors in {file}, got {table.embedding_dim}; "
                    f"use --set model.word_size={report.size}"
                )
            with torch.no_grad():
                table.weight[rows.to(table.weight.device)] = values.to(table.weight)
    if config.training.freeze_words:
        for encoder, _ in encoders:
            encoder.freeze_words()
    return report
