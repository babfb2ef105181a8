"""Multilayer perceptrons by their widths, in either twin, and where they start."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from stages.models import mlp as on_graph
from stages.models import network as graph_networks
from stages.models import network_torch as torch_networks
from stages.models.network import Network
from stages.task.model import Model
from stages.training.plan import stream

Array = NDArray[Any]


def mlp(
    hidden: Sequence[int],
    activation: str = "relu",
    loss: str = "half_mse",
    dtype: str = "float64",
    initialization: str = "torch_linear",
) -> Model:
    """The section of params.yaml."""
    options = {"hidden": list(hidden), "activation": activation, "initialization": initialization}
    content = {"source": on_graph.__file__, "options": options, "loss": loss, "dtype": dtype}
    return Model.model_validate(content)


def network(
    sizes: Sequence[int], activation: str, loss: str, dtype: str = "float64", runs: int = 1
) -> Network:
    """sizes: features, hidden layers, outputs."""
    features, *hidden, outputs = sizes
    return graph_networks.network(mlp(hidden, activation, loss, dtype), features, (outputs,), runs)


def torch_network(sizes: Sequence[int], activation: str, dtype: str = "float64") -> nn.Module:
    features, *hidden, outputs = sizes
    return torch_networks.network(mlp(hidden, activation, dtype=dtype), features, (outputs,))


def initial_parameters(
    sizes: Sequence[int], initialization: str, dtype: str, seed: int
) -> dict[str, Array]:
    features, *hidden, outputs = sizes
    model = mlp(hidden, dtype=dtype, initialization=initialization)
    graph = graph_networks.network(model, features, (outputs,)).graph
    return graph.draw_parameters(stream(seed, 0))


def predict(parameters: dict[str, Array], features: Array, activation: str = "relu") -> Array:
    """The outputs of networks with many sets of parameters, (runs, ...) each, by their names."""
    widths = [len(values[0]) for name, values in parameters.items() if name.endswith("bias")]
    model = mlp(widths[:-1], activation)
    return graph_networks.predict(model, (widths[-1],), parameters, np.asarray(features))
