"""Tree-LSTM over the path between two tokens of a dependency tree, up to the lowest common ancestor (LCA) and down again.

Source: Miwa & Bansal, ACL 2016 (P16-1105), section 3.3, with one type of child, as their model on shortest paths (SPTree) has:
    i = σ(W x + U Σ h + b)    f = σ(W x + U Σ h + b)    o = σ(W x + U Σ h + b)    u = tanh(W x + U Σ h + b)
    c = i ⊙ u + f ⊙ Σ c       h = o ⊙ tanh c            sums over the children, each gate with weights of its own
Their forget gate of a child depends on the types of all children. With one type all children share one gate, so a node is an LSTM cell that
reads the sums of its children's states. An arm of the path is then a chain, and only the LCA can have two children; downwards every node
has one predecessor, the node above it. Each step is computed for all paths of a batch together.
Letters: S sentences, T tokens, I node features, U paths, H hidden units a direction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from relsift.layers.tree_paths import TreePaths

State = tuple[Tensor, Tensor]  # h and c, (rows, H) each


class TreeCell(nn.Module):
    """One LSTM cell of a tree: a node reads its input and the summed states of its children."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.inputs = nn.Linear(size, 4 * hidden)  # W and b of i, f, o, u
        self.states = nn.Linear(hidden, 4 * hidden, bias=False)  # U of them

    def forward(self, projected: Tensor, state: State) -> State:
        """projected: (rows, 4H), `inputs` of the nodes; state: of the children, summed."""
        h, c = state
        i, f, o, u = (projected + self.states(h)).chunk(4, dim=1)
        c = i.sigmoid() * u.tanh() + f.sigmoid() * c
        return o.sigmoid() * c.tanh(), c


class PathLSTM(nn.Module):
    """Tree-LSTM cells upwards and downwards along paths."""

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.up = TreeCell(size, hidden)
        self.down = TreeCell(size, hidden)
        self.hidden = hidden

    def forward(self, nodes: Tensor, tops: Tensor, paths: TreePaths, sentence: Tensor) -> Tensor:
        """The path as three states: downwards at the first token, upwards at the LCA, downwards at the second token.

        Args:
            nodes: (S, T, I) what a node below an LCA sees. tops: (U, I) what each path's LCA sees. sentence: (U,) row of `nodes`.
        Returns: (U, 3, H); zeros where there is no path.
        """
        pairs, tokens = len(sentence), nodes.shape[1]
        lengths, order = paths.lengths.sort(descending=True, stable=True)               # (2U,)
        flat = (torch.cat([sentence, sentence])[:, None] * tokens + paths.arms)[order]  # (2U, L)   rows of S·T nodes
        counts = (lengths[:, None] > torch.arange(flat.shape[1], device=flat.device)).sum(dim=0).tolist()  # arms with a token at each step
        up_steps = [flat[:count, step] for step, count in enumerate(counts)]
        down_steps = [flat[arms, lengths[arms] - 1 - step] for step, arms in enumerate(_ranges(counts, flat.device))]

        zero = nodes.new_zeros(2 * pairs, self.hidden)
        h, c = _walk(self.up, self.up.inputs(nodes).flatten(0, 1), up_steps, (zero, zero))
        original_order = order.argsort()
        h, c = (state[original_order].view(2, pairs, self.hidden).sum(dim=0) for state in (h, c))  # (U, H)   the LCA's children
        up, _ = self.up(self.up.inputs(tops), (h, c))                                   # (U, H)
        zero = zero[:pairs]
        start = self.down(self.down.inputs(tops), (zero, zero))
        path = order % max(1, pairs)                                                    # (2U,)    the arm's path
        h, _ = _walk(self.down, self.down.inputs(nodes).flatten(0, 1), down_steps, (start[0][path], start[1][path]))
        first, second = h[original_order].view(2, pairs, self.hidden)
        has_path = (paths.top >= 0)[:, None, None]
        return torch.stack([first, up, second], dim=1) * has_path                       # (U, 3, H)


def _ranges(counts: list[int], device: torch.device) -> list[Tensor]:
    return [torch.arange(count, device=device) for count in counts]


def _walk(cell: TreeCell, projected: Tensor, steps: list[Tensor], state: State) -> State:
    """Run the cell along chains. Step n has the n-th node of every chain of at least n nodes, the longest chain first."""
    finished: list[State] = []  # states of the chains that end before each step, the shortest first
    for nodes in steps:
        count = len(nodes)
        finished.append((state[0][count:], state[1][count:]))
        state = cell(projected.index_select(0, nodes), (state[0][:count], state[1][:count]))
    finished.append(state)
    return torch.cat([h for h, _ in reversed(finished)]), torch.cat([c for _, c in reversed(finished)])
