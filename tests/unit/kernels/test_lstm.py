"""Two LSTMs without gradients: the plain form and the fused kernel against torch's LSTM, sentence by sentence."""

from __future__ import annotations

import pytest
import torch

from relsift.kernels.lstm import lstm_states, lstm_tables
from relsift.kernels.switch import SWITCH


def made(size: int, units: int, seed: int = 0) -> list[torch.nn.LSTM]:
    torch.manual_seed(seed)
    return [torch.nn.LSTM(size, units, batch_first=True) for _ in range(2)]


def states(lstms: list[torch.nn.LSTM], rows: torch.Tensor, place: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return lstm_states(lstm_tables(rows, [lstm.all_weights[0] for lstm in lstms]), place, lengths)


def literal(lstms: list[torch.nn.LSTM], rows: torch.Tensor, place: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    out = []
    with torch.no_grad():
        for tokens in place.split(lengths.tolist()):
            x = rows[tokens][None]
            out.append(torch.cat([lstms[0](x)[0][0], lstms[1](x.flip(1))[0][0].flip(0)], dim=1))
    return torch.cat(out)


@pytest.mark.parametrize("kernel", ["torch", "numba"])
@pytest.mark.parametrize("units", [1, 3, 16, 17, 64, 100])
@pytest.mark.parametrize("lengths", [[1], [3, 1, 5, 2, 9], [4] * 8], ids=str)
def test_states_are_those_of_torch(kernel, units, lengths, monkeypatch):
    monkeypatch.setenv(SWITCH, kernel)
    lstms, rows, sizes = made(5, units), torch.randn(7, 5) * 3, torch.tensor(lengths)
    place = torch.randint(7, (int(sizes.sum()),))
    torch.testing.assert_close(states(lstms, rows, place, sizes), literal(lstms, rows, place, sizes), atol=2e-6, rtol=2e-5)


@pytest.mark.parametrize("value", [30.0, -30.0, 1e30, float("inf"), float("nan")])
def test_large_and_broken_numbers_come_out_as_with_torch(value, monkeypatch):
    monkeypatch.setenv(SWITCH, "numba")
    lstms, place, sizes = made(2, 3), torch.tensor([0, 1, 0]), torch.tensor([3])
    rows = torch.tensor([[1.0, 0.5], [value, -1.0]])
    torch.testing.assert_close(states(lstms, rows, place, sizes), literal(lstms, rows, place, sizes), atol=2e-6, rtol=2e-5, equal_nan=True)


def test_in_double_precision_the_plain_form_is_used():
    lstms = [lstm.double() for lstm in made(4, 6)]
    rows, place, sizes = torch.randn(5, 4).double(), torch.randint(5, (9,)), torch.tensor([2, 7])
    torch.testing.assert_close(states(lstms, rows, place, sizes), literal(lstms, rows, place, sizes), atol=1e-12, rtol=1e-12)
