"""Computation graphs to draw, larger than those of the tasks."""

import math

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
