"""The model of a task on the graph, and its loss. torch's is network_torch.py."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations.losses import LOSSES, accuracy
from stages.graph.value import Array
from stages.task.errors import InputError
from stages.task.model import Model


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
    model: Model, features: int, outputs: int, runs: int = 1, targets: tuple[int, ...] = ()
) -> Network:
    """The model and its loss.

    outputs: how many numbers it predicts of a sample, or from how many classes
    targets: (targets,) where each sample has several classes to predict
    Its inputs are "x", (samples, features), and "target": (samples, *targets) integers for
    cross_entropy, (samples, outputs) otherwise. Raises InputError unless the model returns
    (samples, *targets, outputs).
    """
    graph = Graph(runs, model.dtype)
    output = _output(model, graph, features, (*targets, outputs))
    if model.loss == "cross_entropy":
        labels = graph.input("target", output.shape[:-1], np.int64)
        means = {"loss": LOSSES[model.loss](output, labels), "accuracy": accuracy(output, labels)}
    else:
        means = {"loss": LOSSES[model.loss](output, graph.input("target", output.shape))}
    return Network(graph, output, means)


def _output(model: Model, graph: Graph, features: int, shape: tuple[int, ...]) -> Node:
    x = graph.input("x", (SAMPLES, features))
    output = model.function()(x, shape[-1], **model.arguments())
    if not isinstance(output, Node) or output.shape != (SAMPLES, *shape):
        wanted = ", ".join(map(str, (SAMPLES, *shape)))
        raise InputError(
            f"{model.source}: model must return a node of shape ({wanted}), got {output}"
        )
    return output


Parameters = Mapping[str, Array]  # by name, each with a leading runs axis


def predict(model: Model, shape: tuple[int, ...], parameters: Parameters, features: Array) -> Array:
    """The outputs of a model with many sets of parameters at once, for the same samples.

    shape: that of the outputs for one sample
    features: (samples, features)
    returns: (runs, samples, *shape)
    """
    graph = _graph(parameters)
    return _evaluate(graph, _output(model, graph, features.shape[1], shape), parameters, features)


def attention(
    model: Model, shape: tuple[int, ...], parameters: Parameters, features: Array
) -> Array | None:
    """The weights that the first attention of a model gives to its features, as in `predict`.

    returns: (runs, samples, heads, features, features), or None for a model without attention
    """
    graph, own = _graph(parameters), features.shape[1]
    _output(model, graph, own, shape)
    for node in graph.nodes:
        if node.operation == "softmax" and len(node.shape) == 4 and node.shape[2:] == (own, own):
            return _evaluate(graph, node, parameters, features)
    return None


def _graph(parameters: Parameters) -> Graph:
    runs, dtype = next((len(rows), rows.dtype) for rows in parameters.values())
    return Graph(runs, dtype)


def _evaluate(graph: Graph, node: Node, parameters: Parameters, features: Array) -> Array:
    """(runs, samples, ...), the values of a node."""
    program = graph.compile(node, samples=len(features), shared_inputs=True)
    for name, rows in graph.views(graph.parameters).items():
        np.copyto(rows, parameters[name])
    program.feed(x=features[None])
    with np.errstate(all="ignore"):  # a training that diverged predicts what it predicts
        program.forward()
    return program.outputs[0]
