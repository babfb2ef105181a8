"""The multilayer perceptron: linear layers and activations. torch's is mlp_torch.py."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from stages.graph.node import Node
from stages.graph.operations.activations import relu, sigmoid, tanh
from stages.graph.starts import fan_in, uniform, zeros
from stages.task.values import MOST, Count

ACTIVATIONS = {"relu": relu, "tanh": tanh, "sigmoid": sigmoid}


def _fits_into_memory(hidden: tuple[int, ...]) -> tuple[int, ...]:
    # A training has them six times at least, with their gradients, two means of Adam and two
    # snapshots: MOST weights, in float64, take 48 GB.
    weights = sum(inputs * outputs for inputs, outputs in pairwise((1, *hidden, 1)))
    if weights > MOST:
        raise ValueError(f"must have at most {MOST} weights between its layers, got {weights}")
    return hidden


def model(
    x: Node,
    outputs: int,
    *,
    hidden: Annotated[
        tuple[Count, ...],
        AfterValidator(_fits_into_memory),
        Field(description="a list of layer widths, [] for a linear model"),
    ],
    activation: Literal["relu", "tanh", "sigmoid"] = "relu",
    initialization: Literal["uniform01", "torch_linear"] = "torch_linear",
) -> Node:
    """(samples, outputs) from x, (samples, features).

    Its parameters are named and shaped as those of torch.nn.Sequential(Linear, activation, ...):
    "0.weight" (out, in), "0.bias" (out,), "2.weight", ...
    """
    sizes = [int(x.shape[1]), *hidden, outputs]
    for layer, (width, next_width) in enumerate(pairwise(sizes)):
        if layer > 0:
            x = ACTIVATIONS[activation](x)
        start = fan_in(width)
        starts = (start, start) if initialization == "torch_linear" else (uniform(0, 1), zeros)
        weight = x.graph.parameter(f"{2 * layer}.weight", (next_width, width), starts[0])
        bias = x.graph.parameter(f"{2 * layer}.bias", (next_width,), starts[1])
        x = x @ weight.T + bias
    return x
