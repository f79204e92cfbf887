"""The token states of a frozen transformer, in a file: computed once a sentence, read in every later epoch.

Only what training cannot change is kept. Each sentence goes through the transformer by itself, so that its states do not depend on the
sentences beside it in a batch, and a training that is resumed computes the same ones again, bit for bit.
Letters: N tokens, H states of the transformer.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from relsift.encoding.batch import Subwords
from relsift.locks import output_errors

States = Callable[[Subwords], Tensor]
"""The transformer with its pooling: pieces -> (N, H); of one sentence there may be a number of further rows before them."""


class FrozenStates:
    """States by the pieces of a sentence. The file has no name and is gone with the process, however that ends.

    Args: size: H. folder: where the file lies; None: the system's folder of temporary files. It takes 4 * H bytes a token.
    """

    def __init__(self, size: int, folder: Path | None = None) -> None:
        self._size = size
        self._place = folder or Path(tempfile.gettempdir())
        with output_errors(self._place):
            self._place.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `close`
        self._starts: dict[bytes, int] = {}  # first byte of each sentence
        self._end = 0

    def close(self) -> None:
        self._file.close()

    def rows(self, subwords: Subwords, lengths: Tensor, states: States, further: int = 0) -> Tensor:
        """(N + S * further, H): sentence after sentence what `states` would compute, without gradients.

        Args: lengths: (S,) real tokens of each sentence. further: rows of `states` beside those of tokens, the same in all calls.
        """
        single, device = subwords.by_sentence(lengths), subwords.ids.device
        return torch.cat([self._sentence(part, int(length) + further, states) for part, length in zip(single, lengths)]).to(device)

    def _sentence(self, subwords: Subwords, length: int, states: States) -> Tensor:
        """(length, H)"""
        key = _key(subwords)
        if (start := self._starts.get(key)) is not None:
            self._file.seek(start)
            count = length * self._size
            values = np.frombuffer(self._file.read(count * np.float32().nbytes), np.float32, count)
            return torch.from_numpy(values.reshape(length, self._size).copy())
        with torch.no_grad():
            found = states(subwords).float().cpu()                                      # (length, H)
        with output_errors(f"{self._place} (the states of the frozen encoder, {self._end / 2**20:.0f} MB so far)"):
            self._starts[key], self._end = self._end, self._write(found.numpy().tobytes())
        return found

    def _write(self, content: bytes) -> int:
        """Append; returns where the next sentence goes."""
        self._file.seek(self._end)
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]
        return self._file.tell()


def _key(subwords: Subwords) -> bytes:
    """Of all that the states of a sentence depend on."""
    tensors = (subwords.ids, subwords.real.long(), subwords.place, subwords.first, subwords.last)
    read = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        read.update(len(tensor).to_bytes(8, "little"))
        read.update(tensor.cpu().numpy().tobytes())
    return read.digest()
