"""Recurrent layers against those of torch.nn."""

from typing import Any

import numpy as np
import pytest
import torch
from differentiation import assert_close
from torch import nn

from stages.graph import SAMPLES, Graph, gru, lstm, rnn

LAYERS: dict[str, tuple[Any, Any, int]] = {
    "rnn": (rnn, nn.RNN, 1),
    "lstm": (lstm, nn.LSTM, 4),
    "gru": (gru, nn.GRU, 3),
}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)])
@pytest.mark.parametrize(("samples", "times", "features", "hidden"), [(4, 3, 2, 5), (1, 1, 1, 1)])
@pytest.mark.parametrize("name", LAYERS)
def test_states_and_gradients_are_those_of_torch(
    name: str, samples: int, times: int, features: int, hidden: int, dtype: str, tolerance: float
) -> None:
    ours, theirs, gates = LAYERS[name]
    module = theirs(features, hidden, batch_first=True, dtype=getattr(torch, dtype))
    graph = Graph(runs=2, dtype=dtype)
    scale = graph.parameter("scale", ())  # the gradient of what the layer reads
    shapes = {name: tuple(values.shape) for name, values in module.named_parameters()}
    weights = [graph.parameter(name, shape) for name, shape in shapes.items()]
    assert shapes["weight_ih_l0"] == (gates * hidden, features)
    factors = graph.input("factors", (SAMPLES, times, hidden))
    y = ours(scale * graph.input("x", (SAMPLES, times, features)), *weights)
    assert y.shape == (SAMPLES, times, hidden)
    program = graph.compile((y * factors).sum(), y, samples=samples, differentiate=True)
    random = np.random.default_rng(1)
    graph.parameters[:] = random.uniform(-1, 1, graph.parameters.shape)
    x = random.normal(size=(2, samples, times, features)).astype(dtype)
    upstream = random.normal(size=(2, samples, times, hidden)).astype(dtype)
    program.feed(x=x, factors=upstream)
    program.gradients()

    for run in range(2):
        values = {n: torch.tensor(v[run]) for n, v in graph.views(graph.parameters).items()}
        scaled = values.pop("scale").requires_grad_()
        module.load_state_dict(values)
        module.zero_grad()
        output, _ = module(scaled * torch.from_numpy(x[run]))
        (output * torch.from_numpy(upstream[run])).sum().backward()
        assert_close(program.outputs[1][run], output.detach().numpy(), tolerance)
        for parameter_name, gradient in graph.views(graph.gradients).items():
            is_scale = parameter_name == "scale"
            other = scaled.grad if is_scale else module.get_parameter(parameter_name).grad
            assert_close(np.asarray(gradient[run]), other.numpy(), tolerance)


@pytest.mark.parametrize("shape", [(SAMPLES, 3), (3, SAMPLES, 2)])
def test_what_has_no_times_is_refused(shape: Any) -> None:
    graph = Graph()
    w, b = graph.parameter("w", (2, 2)), graph.parameter("b", (2,))
    with pytest.raises(ValueError, match=r"needs \(samples, times, features\), got x\["):
        rnn(graph.input("x", shape), w, w, b, b)
