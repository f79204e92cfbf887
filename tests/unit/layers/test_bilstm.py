"""The sentence's BiLSTM: padding is never read, and the gates are where we think."""

from __future__ import annotations

import torch

from relsift.layers.bilstm import BiLSTM, TwoLSTMs


def test_every_sentence_is_read_as_if_alone_in_both_directions():
    torch.manual_seed(0)
    layer = BiLSTM(3, 4)
    x, lengths = torch.randn(3, 6, 3), torch.tensor([2, 6, 1])
    states = layer(x, lengths)
    assert states.shape == (3, 6, layer.size)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = layer.lstm(x[row : row + 1, :length])
        torch.testing.assert_close(states[row : row + 1, :length], alone)
        assert not states[row, length:].any()


def test_a_step_is_that_of_the_equations():
    torch.manual_seed(0)
    layer = BiLSTM(3, 2)
    x = torch.randn(1, 2, 3)
    w, u = layer.lstm.weight_ih_l0, layer.lstm.weight_hh_l0
    h = c = torch.zeros(2)
    for token in x[0]:
        i, f, g, o = (w @ token + u @ h).chunk(4)
        c = (f + 1.0).sigmoid() * c + i.sigmoid() * g.tanh()  # forget bias 1, no other
        h = o.sigmoid() * c.tanh()
    torch.testing.assert_close(layer(x, torch.tensor([2]))[0, 1, :2], h)


def test_two_lstms_over_padded_sentences_are_the_same_function_with_the_same_gradients(monkeypatch):
    torch.manual_seed(0)
    layer = BiLSTM(3, 4)
    two = TwoLSTMs(3, 4)
    for own, suffix in ((two.forth, ""), (two.back, "_reverse")):
        own.load_state_dict({name: getattr(layer.lstm, name + suffix) for name in own.state_dict()})
    x, lengths = torch.randn(5, 6, 3), torch.tensor([2, 6, 1, 3, 6])
    real = torch.arange(6) < lengths[:, None]
    mixture = torch.randn(18, 8)
    for smallest in (1, 16):  # groups of similar lengths, and all sentences in one
        monkeypatch.setattr("relsift.layers.bilstm.SMALLEST_GROUP", smallest)
        two.zero_grad()
        torch.testing.assert_close(two(x[real], torch.arange(18), lengths), layer(x, lengths)[real])
        (two(x[real], torch.arange(18), lengths) * mixture).sum().backward()
    (layer(x, lengths)[real] * mixture).sum().backward()
    for own, suffix in ((two.forth, ""), (two.back, "_reverse")):
        for name, weight in own.named_parameters():
            torch.testing.assert_close(weight.grad, getattr(layer.lstm, name + suffix).grad)


def test_without_gradient_equal_tokens_share_a_row_and_states_are_the_same():
    torch.manual_seed(0)
    two, rows, lengths = TwoLSTMs(3, 4), torch.randn(5, 3), torch.tensor([2, 6, 1, 3, 6])
    place = torch.randint(5, (18,))
    wanted = two(rows, place, lengths)
    torch.testing.assert_close(two(rows[place], torch.arange(18), lengths), wanted)
    with torch.no_grad():
        torch.testing.assert_close(two(rows, place, lengths), wanted)


def test_two_lstms_start_with_the_weights_of_keras():
    lstm = TwoLSTMs(3, 4).back
    assert lstm.bias_ih_l0.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert not lstm.bias_hh_l0.any()
    for gate in lstm.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(4))
