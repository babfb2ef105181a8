"""Recurrent layers, unrolled in time: composed of other operations, as torch.nn computes them.

x: (samples, times, features)
weight_ih, bias_ih: (gates * hidden, features) and (gates * hidden,), what the input passes
weight_hh, bias_hh: (gates * hidden, hidden) and (gates * hidden,), what the last state passes
Each returns the state at every time, (samples, times, hidden), and starts from zeros.
"""

from collections.abc import Iterator

from stages.graph.node import Node
from stages.graph.operations.activations import sigmoid, tanh
from stages.graph.operations.shapes import stack


def rnn(x: Node, weight_ih: Node, weight_hh: Node, bias_ih: Node, bias_hh: Node) -> Node:
    """The state is tanh of what it and the input pass: nn.RNN."""
    states: list[Node] = []
    for step in _times(x):
        passed = bias_hh + states[-1] @ weight_hh.T if states else bias_hh
        states.append(tanh(step @ weight_ih.T + bias_ih + passed))
    return stack(states, 1)


def lstm(x: Node, weight_ih: Node, weight_hh: Node, bias_ih: Node, bias_hh: Node) -> Node:
    """nn.LSTM: a cell that three gates let in, keep and let out."""
    states: list[Node] = []
    cell: Node | None = None
    for step in _times(x):
        passed = bias_hh + states[-1] @ weight_hh.T if states else bias_hh
        gates = step @ weight_ih.T + bias_ih + passed
        let_in, keep, new, let_out = _parts(gates, 4)
        added = sigmoid(let_in) * tanh(new)
        cell = added if cell is None else sigmoid(keep) * cell + added
        states.append(sigmoid(let_out) * tanh(cell))
    return stack(states, 1)


def gru(x: Node, weight_ih: Node, weight_hh: Node, bias_ih: Node, bias_hh: Node) -> Node:
    """nn.GRU: a state of which one gate keeps a share, and another a share of what it passes."""
    states: list[Node] = []
    for step in _times(x):
        passed = bias_hh + states[-1] @ weight_hh.T if states else bias_hh
        reset, keep, new = _parts(step @ weight_ih.T + bias_ih, 3)
        passed_reset, passed_keep, passed_new = _parts(passed, 3)
        new = tanh(new + sigmoid(reset + passed_reset) * passed_new)
        kept = sigmoid(keep + passed_keep)
        states.append(new + kept * (states[-1] - new) if states else new - kept * new)
    return stack(states, 1)


def _times(x: Node) -> Iterator[Node]:
    """(samples, features) at each time."""
    if len(x.shape) != 3 or isinstance(x.shape[1], str):
        raise ValueError(f"a recurrent layer needs (samples, times, features), got {x!r}")
    return (x[:, time] for time in range(x.shape[1]))


def _parts(gates: Node, count: int) -> list[Node]:
    """The numbers of each gate, which lie one gate behind the other."""
    size = int(gates.shape[-1]) // count
    return [gates[..., first : first + size] for first in range(0, count * size, size)]
