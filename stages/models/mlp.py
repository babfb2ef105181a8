"""The multilayer perceptron of a task as a graph, with the names and shapes of torch.nn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations.activations import relu, sigmoid, tanh
from stages.graph.operations.losses import LOSSES, accuracy
from stages.graph.value import Array

ACTIVATIONS = {"relu": relu, "tanh": tanh, "sigmoid": sigmoid}


@dataclass(frozen=True)
class Network:
    """A graph, and the nodes of it that one asks for.

    means: what is evaluated, by name: the loss and, where the target is classes, the accuracy
    """

    graph: Graph
    output: Node
    means: dict[str, Node]

    @property
    def loss(self) -> Node:
        return self.means["loss"]


def network(
    sizes: Sequence[int], activation: str, loss: str, dtype: str = "float64", runs: int = 1
) -> Network:
    """The network of `sizes`, (features, hidden..., outputs), and its loss.

    Its inputs are "x", (samples, features), and "target": (samples,) integers for cross_entropy,
    (samples, outputs) otherwise. Its parameters are named and shaped as those of
    torch.nn.Sequential(Linear, activation, Linear, ...): "0.weight" (out, in), "0.bias" (out,), ...
    """
    graph = Graph(runs, dtype)
    x = graph.input("x", (SAMPLES, sizes[0]))
    output = _layers(graph, x, sizes, activation)
    if loss == "cross_entropy":
        labels = graph.input("target", (SAMPLES,), np.int64)
        means = {"loss": LOSSES[loss](output, labels), "accuracy": accuracy(output, labels)}
    else:
        means = {"loss": LOSSES[loss](output, graph.input("target", (SAMPLES, sizes[-1])))}
    return Network(graph, output, means)


def _layers(graph: Graph, x: Node, sizes: Sequence[int], activation: str) -> Node:
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        if layer > 0:
            x = ACTIVATIONS[activation](x)
        weight = graph.parameter(f"{2 * layer}.weight", (outputs, inputs))
        bias = graph.parameter(f"{2 * layer}.bias", (outputs,))
        x = x @ weight.T + bias
    return x


def predict(parameters: Mapping[str, Array], activation: str, features: Array) -> Array:
    """The outputs of many trained networks at once, for the same samples.

    parameters: by name, each with a leading runs axis
    features: (samples, features)
    returns: (runs, samples, outputs)
    """
    layers = len(parameters) // 2
    weights = [parameters[f"{2 * layer}.weight"] for layer in range(layers)]
    sizes = [features.shape[1], *(weight.shape[1] for weight in weights)]
    graph = Graph(len(weights[0]), weights[0].dtype)
    output = _layers(graph, graph.input("x", (SAMPLES, sizes[0])), sizes, activation)
    program = graph.compile(output, samples=len(features), shared_inputs=True)
    for name, rows in graph.views(graph.parameters).items():
        np.copyto(rows, parameters[name])
    program.feed(x=features[None])
    with np.errstate(all="ignore"):  # a training that diverged predicts what it predicts
        program.forward()
    return program.outputs[0]
