"""The model of a task on the graph, and its loss. torch's is network_torch.py."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations.losses import accuracy
from stages.graph.value import Array
from stages.task.errors import InputError
from stages.task.model import Model

MEMORY = 2**27  # bytes that a prediction may take; images go through a model part by part


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


def network(model: Model, features: int, outputs: tuple[int, ...], runs: int = 1) -> Network:
    """The model and its loss.

    outputs: the shape of what it returns for a sample, see `Table`
    Its inputs are "x", (samples, features), and "target": integers of the shape of the output but
    for the last axis, that of the classes, or numbers of the shape of the output.
    Raises InputError if the model or the loss is not of the shape that it must have.
    """
    graph = Graph(runs, model.dtype)
    output = _output(model, graph, features, outputs)
    if model.takes_classes:
        target = graph.input("target", output.shape[:-1], np.int64)
    else:
        target = graph.input("target", output.shape)
    loss = model.loss_function()(output, target, **model.loss_arguments())
    if not isinstance(loss, Node) or loss.shape != ():
        raise InputError(f"{model.loss}: must return a mean over the samples, got {loss}")
    means = {"loss": loss}
    if model.takes_classes:
        means["accuracy"] = accuracy(output, target)
    return Network(graph, output, means)


def _output(model: Model, graph: Graph, features: int, outputs: tuple[int, ...]) -> Node:
    x = graph.input("x", (SAMPLES, features))
    output = model.function()(x, outputs[-1], **model.arguments())
    if not isinstance(output, Node) or output.shape != (SAMPLES, *outputs):
        shape = ", ".join(map(str, (SAMPLES, *outputs)))
        raise InputError(
            f"{model.source}: model must return a node of shape ({shape}), got {output}"
        )
    return output


Parameters = Mapping[str, Array]  # and states, by name, each with a leading runs axis


def predict(
    model: Model, outputs: tuple[int, ...], parameters: Parameters, features: Array
) -> Array:
    """The outputs of a model with many sets of parameters at once, for the same samples.

    outputs: the shape of what it returns for a sample
    features: (samples, features)
    returns: (runs, samples, *outputs)
    """
    graph = _graph(parameters)
    return _evaluate(graph, _output(model, graph, features.shape[1], outputs), parameters, features)


def attention(
    model: Model, outputs: tuple[int, ...], parameters: Parameters, features: Array
) -> Array | None:
    """The weights that the first attention of a model gives to its features, as in `predict`.

    returns: (runs, samples, heads, features, features), or None for a model without attention
    """
    graph, own = _graph(parameters), features.shape[1]
    _output(model, graph, own, outputs)
    for node in graph.nodes:
        if node.operation == "softmax" and len(node.shape) == 4 and node.shape[2:] == (own, own):
            return _evaluate(graph, node, parameters, features)
    return None


def _graph(parameters: Parameters) -> Graph:
    runs, dtype = next((len(rows), rows.dtype) for rows in parameters.values())
    return Graph(runs, dtype)


def _evaluate(graph: Graph, node: Node, parameters: Parameters, features: Array) -> Array:
    """(runs, samples, ...), the values of a node."""
    for name, rows in {**graph.views(graph.parameters), **graph.states}.items():
        np.copyto(rows, parameters[name])
    program = graph.compile(node, samples=len(features), shared_inputs=True)
    if program.nbytes > MEMORY and len(features) > 1:
        some = max(1, len(features) * MEMORY // program.nbytes)
        parts = [features[start : start + some] for start in range(0, len(features), some)]
        found = [_evaluate(graph, node, parameters, part) for part in parts]
        return np.concatenate(found, axis=1)
    program.feed(x=features[None])
    with np.errstate(all="ignore"):  # a training that diverged predicts what it predicts
        program.forward()
    return program.outputs[0]
