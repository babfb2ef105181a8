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


def network(model: Model, features: int, outputs: int, runs: int = 1) -> Network:
    """The model and its loss.

    outputs: how many numbers it predicts of a sample, or from how many classes
    Its inputs are "x", (samples, features), and "target": (samples,) integers for cross_entropy,
    (samples, outputs) otherwise. Raises InputError if the model has not as many outputs.
    """
    graph = Graph(runs, model.dtype)
    output = _output(model, graph, features, outputs)
    if model.loss == "cross_entropy":
        labels = graph.input("target", output.shape[:-1], np.int64)
        means = {"loss": LOSSES[model.loss](output, labels), "accuracy": accuracy(output, labels)}
    else:
        means = {"loss": LOSSES[model.loss](output, graph.input("target", output.shape))}
    return Network(graph, output, means)


def _output(model: Model, graph: Graph, features: int, outputs: int) -> Node:
    x = graph.input("x", (SAMPLES, features))
    output = model.function()(x, outputs, **model.arguments())
    if not isinstance(output, Node) or output.shape != (SAMPLES, outputs):
        raise InputError(
            f"{model.source}: model must return a node of shape (samples, {outputs}), got {output}"
        )
    return output


def predict(model: Model, outputs: int, parameters: Mapping[str, Array], features: Array) -> Array:
    """The outputs of a model with many sets of parameters at once, for the same samples.

    parameters: by name, each with a leading runs axis
    features: (samples, features)
    returns: (runs, samples, outputs)
    """
    runs, dtype = next((len(rows), rows.dtype) for rows in parameters.values())
    graph = Graph(runs, dtype)
    output = _output(model, graph, features.shape[1], outputs)
    program = graph.compile(output, samples=len(features), shared_inputs=True)
    for name, rows in graph.views(graph.parameters).items():
        np.copyto(rows, parameters[name])
    program.feed(x=features[None])
    with np.errstate(all="ignore"):  # a training that diverged predicts what it predicts
        program.forward()
    return program.outputs[0]
