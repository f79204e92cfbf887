"""BiRNNs against torch's recurrent cells, token by token and character by character."""

from __future__ import annotations

import pytest
import torch

from literal_birnn import states
from relsift.layers.birnn import BiRNN, CharacterBiRNN
from toy import randomise

CELLS = ("gru", "lstm")


@pytest.mark.parametrize("cell", CELLS)
def test_states_are_those_of_a_loop_over_the_tokens_of_each_sentence(cell):
    layer = BiRNN(cell, 3, 2)
    randomise(layer)
    lengths, rows = torch.tensor([2, 5, 1]), torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    wanted = torch.cat([states(layer, x) for x in rows.split(lengths.tolist())])
    torch.testing.assert_close(layer(rows, lengths), wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_word_is_the_last_state_of_each_direction(cell):
    layer = CharacterBiRNN(6, cell, 3, 2)
    randomise(layer)
    words = [[2, 3, 4], [5], [1, 2]]
    ids = torch.tensor([word + [0] * (3 - len(word)) for word in words])
    for word, actual in zip(words, layer(ids)):
        found = states(layer.run, layer.characters.weight[word])
        torch.testing.assert_close(actual, torch.cat([found[-1, :2], found[0, 2:]]), atol=1e-5, rtol=1e-5)
