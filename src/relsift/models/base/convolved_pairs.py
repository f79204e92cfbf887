"""The input stage of convolutional pair classifiers: word ++ tag ++ distance to head ++ distance to tail, convolved for every pair.

Letters: P pairs, T tokens, C channels (filters of all windows).
"""

from __future__ import annotations

from torch import nn

from relsift.encoders.lookup import LookupEncoder
from relsift.encoding.batch import Batch
from relsift.encoding.vocabulary import Encoding
from relsift.layers.pair_convolution import PairConvolution, PairValues


class ConvolvedPairs(nn.Module):
    """Embeddings and windows in one: from a batch to the values of every pair at every token, before the activation.

    Distances are to the entity's span, 0 inside it. tag_size None: tags off. max_distance: in tokens; farther ones share an embedding.
    """

    def __init__(
        self,
        encoding: Encoding,
        *,
        word_size: int,
        tag_size: int | None,
        distance_size: int,
        max_distance: int,
        windows: tuple[int, ...],
        filters: int,
    ) -> None:
        super().__init__()
        self.embed = LookupEncoder(encoding, word_size, tag_size)
        self.head_distance = nn.Embedding(2 * max_distance + 1, distance_size)
        self.tail_distance = nn.Embedding(2 * max_distance + 1, distance_size)
        self.convolve = PairConvolution(self.embed.size, distance_size, windows=windows, filters=filters, max_distance=max_distance)
        self.size = self.convolve.size

    def forward(self, batch: Batch) -> PairValues:
        """The (P, T, C) values as parts that `PairValues.max` and its like pool without adding them up."""
        values: PairValues = self.convolve(self.embed.keyed(batch), batch, self.head_distance.weight, self.tail_distance.weight)
        return values
