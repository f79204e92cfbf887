"""What a token looks like: features of its characters and of its case, the same for equal tokens.

Letters: N real tokens of all sentences, W different ones, F features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.characters import CASES
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, ShapeError
from relsift.layers.character_cnn import CharacterCNN


class TokenLooks(nn.Module):
    """CNN over the characters ++ vector of the case. `size` is F: the filters and the size of that vector; either may be 0."""

    def __init__(self, encoding: Encoding, character_size: int, character_filters: int, case_size: int) -> None:
        """Raises ConfigError if there is something to read and the encoding has no characters."""
        super().__init__()
        self.size = character_filters + case_size
        if self.size and encoding.characters is None:
            raise ConfigError(f"encoder: expected an encoding of characters, got one of {', '.join(sorted(encoding.reads))}")
        rows = 0 if encoding.characters is None else encoding.characters.num_rows
        self.characters = CharacterCNN(rows, character_size, character_filters) if character_filters else None
        self.cases = nn.Embedding(len(CASES), case_size) if case_size else None

    def forward(self, batch: Batch) -> Tensor:
        """(N, F). Raises ShapeError for a batch without characters."""
        if batch.characters is None:
            raise ShapeError("batch.characters", expected="the characters that this encoder reads", got=None)
        looks = batch.characters
        parts = [] if self.characters is None else [self.characters(looks.ids)]         # (W, filters)
        if self.cases is not None:
            parts.append(self.cases(looks.case))
        return F.embedding(looks.place, torch.cat(parts, dim=1))
