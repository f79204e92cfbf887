"""The features of the encoder `bilstm` as its header says, token by token and character by character. Nothing of the fast form."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.encoders.bilstm import BiLSTMEncoder
from relsift.encoding.batch import Batch


def token_features(encoder: BiLSTMEncoder, batch: Batch, sentence: int) -> Tensor:
    """(tokens, features) of one sentence."""
    length, before = int(batch.lengths[sentence]), int(batch.lengths[:sentence].sum())
    read = torch.stack([_read(encoder, batch, sentence, token, before + token) for token in range(length)])
    x = read
    for layer in encoder.layers:
        forth, back = _run([*x], layer.forth), _run([*x][::-1], layer.back)[::-1]
        x = torch.stack([torch.cat(pair) for pair in zip(forth, back)])
    return torch.cat([x, read], dim=1) if encoder.options.keep_input else x


def _read(encoder: BiLSTMEncoder, batch: Batch, sentence: int, token: int, row: int) -> Tensor:
    word = int(batch.words[sentence, token])
    vector = encoder.words.weight[word]
    if encoder.added is not None and word < len(encoder.added):
        vector = vector + encoder.added[word]
    parts = [vector]
    if encoder.tags is not None:
        parts.append(encoder.tags.weight[batch.tags[sentence, token]])
    different = int(batch.characters.place[row])
    if encoder.characters is not None:
        parts.append(_spelled([c for c in batch.characters.ids[different].tolist() if c], encoder))
    if encoder.cases is not None:
        parts.append(encoder.cases.weight[batch.characters.case[different]])
    return torch.cat(parts)


def _spelled(characters: list[int], encoder: BiLSTMEncoder) -> Tensor:
    """(filters,): windows of three characters, zeros beyond the word, ReLU, the maximum."""
    cnn = encoder.characters
    rows = [cnn.characters.weight[c] for c in characters]
    rows = [torch.zeros_like(rows[0]), *rows, torch.zeros_like(rows[0])]
    values = [
        sum(cnn.convolution.weight[:, :, place] @ rows[start + place] for place in range(3)) + cnn.convolution.bias
        for start in range(len(characters))
    ]
    return F.relu(torch.stack(values)).amax(dim=0)


def _run(inputs: list[Tensor], lstm: torch.nn.LSTM) -> list[Tensor]:
    w, u, b, d = lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, lstm.bias_hh_l0
    h = c = torch.zeros_like(u[0])
    states = []
    for x in inputs:
        i, f, g, o = (w @ x + b + u @ h + d).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        states.append(h)
    return states
