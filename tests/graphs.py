"""Computation graphs to draw, larger than those of the tasks."""

import math

import numpy as np

from stages.graph import batch_norm, conv2d, cross_entropy, dropout, flatten, max_pool2d
from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations.activations import relu
from stages.graph.operations.elementwise import exp, sqrt
from stages.graph.operations.losses import half_mse
from stages.graph.operations.reductions import log_softmax


def linear(x: Node, name: str, inputs: int, outputs: int) -> Node:
    graph = x.graph
    assert isinstance(graph, Graph)
    weight = graph.parameter(f"{name}.weight", (outputs, inputs))
    return x @ weight.T + graph.parameter(f"{name}.bias", (outputs,))


def normalized(x: Node, name: str, size: int) -> Node:
    graph = x.graph
    assert isinstance(graph, Graph)
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5)
    weight = graph.parameter(f"{name}.weight", (size,))
    return centred / deviation * weight + graph.parameter(f"{name}.bias", (size,))


def transformer(blocks: int = 1, size: int = 16, length: int = 8) -> Node:
    """The loss of a tiny transformer, with residual connections: 73 nodes with one block."""
    graph = Graph()
    x = graph.input("x", (SAMPLES, length, size))
    x = x + graph.parameter("position.weight", (length, size))
    for block in range(blocks):
        inside = f"blocks.{block}"
        seen = normalized(x, f"{inside}.norm1", size)
        query, key, value = (
            linear(seen, f"{inside}.attention.{part}", size, size)
            for part in ("query", "key", "value")
        )
        attention = exp(log_softmax(query @ key.T * (1 / math.sqrt(size))))
        x = x + linear(attention @ value, f"{inside}.attention.out", size, size)
        seen = normalized(x, f"{inside}.norm2", size)
        hidden = relu(linear(seen, f"{inside}.mlp.0", size, 4 * size))
        x = x + linear(hidden, f"{inside}.mlp.2", 4 * size, size)
    output = linear(x, "head", size, size)
    return half_mse(output, graph.input("target", (SAMPLES, length, size)))


def residual(blocks: int, size: int = 8) -> Node:
    """The loss of a network whose blocks add to what they are given."""
    graph = Graph()
    x = graph.input("x", (SAMPLES, size))
    for block in range(blocks):
        hidden = relu(linear(x, f"{block}.in", size, size))
        x = x + linear(hidden, f"{block}.out", size, size)
    return half_mse(x, graph.input("target", (SAMPLES, size)))


def convolutional() -> Node:
    """The loss of a convolutional net with what a training does in another way: states, a mask."""
    graph = Graph()
    x = graph.input("x", (SAMPLES, 1, 16, 16))
    for name, inputs, outputs in (("0", 1, 8), ("4", 8, 16)):
        weight = graph.parameter(f"{name}.weight", (outputs, inputs, 3, 3))
        x = conv2d(x, weight, graph.parameter(f"{name}.bias", (outputs,)), padding=1)
        norm = int(name) + 1
        states = [
            graph.state(f"{norm}.running_{which}", (outputs,), start)
            for which, start in (("mean", 0.0), ("var", 1.0))
        ]
        affine = [graph.parameter(f"{norm}.{part}", (outputs,)) for part in ("weight", "bias")]
        x = max_pool2d(relu(batch_norm(x, *states, *affine)), 2)
    x = dropout(flatten(x), 0.2, "8")
    output = linear(x, "9", 256, 10)
    return cross_entropy(output, graph.input("target", (SAMPLES,), np.int64))
