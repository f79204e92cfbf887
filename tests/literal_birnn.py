"""A BiRNN layer as torch's recurrent cells run it, token by token. Nothing of the fast form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relsift.layers.birnn import BiRNN


def states(layer: BiRNN, x: Tensor) -> Tensor:
    """(tokens, features) of one sentence -> (tokens, 2 * units)"""
    if layer.gru is not None:
        w = dict(layer.gru.named_parameters())
        both = [[w[f"{name}_l0{end}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")] for end in ("", "_reverse")]
    else:
        assert layer.lstms is not None
        both = [list(lstm.parameters()) for lstm in (layer.lstms.forth, layer.lstms.back)]
    forth, back = _run(both[0], list(x)), _run(both[1], list(x)[::-1])[::-1]
    return torch.stack([torch.cat(pair) for pair in zip(forth, back)])


def _run(weights: list[Tensor], tokens: list[Tensor]) -> list[Tensor]:
    w, u, b, d = weights
    is_gru = len(w) == 3 * u.shape[1]
    cell = nn.GRUCell(w.shape[1], u.shape[1]) if is_gru else nn.LSTMCell(w.shape[1], u.shape[1])
    cell = cell.to(w.dtype)
    cell.load_state_dict({"weight_ih": w, "weight_hh": u, "bias_ih": b, "bias_hh": d})
    found, state = [], None
    for token in tokens:
        state = cell(token[None], state)
        found.append((state if is_gru else state[0])[0])
    return found
