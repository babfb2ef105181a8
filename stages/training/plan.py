"""What both twins train from: the initial parameters and the order of the samples.

Both are drawn once, by NumPy, each from a stream of random numbers of its own, so that the number
of layers does not change the order of the samples.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.errors import InputError
from stages.task.model import Model
from stages.task.table import Table
from stages.task.training import Training

Batch = NDArray[np.int64] | slice
ALL = slice(None)  # a full batch: its gradient does not depend on the order, and a view is free


@dataclass(frozen=True)
class Start:
    """Where a training starts.

    sizes: the widths of the network from features to outputs
    parameters: by their names in torch.nn.Sequential
    """

    sizes: list[int]
    parameters: dict[str, NDArray[Any]]


def start(model: Model, seed: int, train: Table) -> Start:
    """The start of a model for samples such as those of `train`."""
    outputs = 1 if train.classes is None else len(train.classes)
    sizes = [train.features.shape[1], *model.hidden, outputs]
    return Start(sizes, initial_parameters(sizes, model.initialization, model.dtype, seed))


@dataclass(frozen=True)
class Plan:
    """In which order a training takes its samples.

    epochs: for each epoch its batches, each the samples to take
    snapshot_steps: the steps after which the parameters are kept
    """

    epochs: Iterator[list[Batch]]
    snapshot_steps: list[int]


def plan(task: str, training: Training, train: Table) -> Plan:
    """The plan of a task. Raises InputError if a batch is larger than `train`."""
    samples = len(train.target)
    size = batch_size(task, training, samples)
    return Plan(epochs(training, samples, size), snapshot_steps(training, samples, size))


def initial_parameters(
    sizes: Sequence[int], initialization: str, dtype: str, seed: int
) -> dict[str, NDArray[Any]]:
    """The parameters before the first step, by their names in torch.nn.Sequential.

    uniform01: weights U(0, 1), biases 0. torch_linear: weights and biases U(±1/√inputs), which is
    what torch.nn.Linear starts from. Drawn in float64, then rounded to `dtype`.
    """
    random = stream(seed, 0)
    parameters = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        if initialization == "uniform01":
            weight, bias = random.uniform(0, 1, (outputs, inputs)), np.zeros(outputs)
        else:
            bound = 1 / math.sqrt(inputs)
            weight = random.uniform(-bound, bound, (outputs, inputs))
            bias = random.uniform(-bound, bound, outputs)
        parameters[f"{2 * layer}.weight"] = weight.astype(dtype)
        parameters[f"{2 * layer}.bias"] = bias.astype(dtype)
    return parameters


def epochs(training: Training, samples: int, size: int) -> Iterator[list[Batch]]:
    """For each epoch its batches of `size`, each the samples to take; the last may be smaller."""
    random = stream(training.seed, 1)
    for _ in range(training.epochs):
        if size == samples:
            yield [ALL]
        else:
            order = random.permutation(samples)
            yield [order[first : first + size] for first in range(0, samples, size)]


def batch_size(task: str, training: Training, samples: int) -> int:
    """The samples of a step. Raises InputError if they are more than there are."""
    size = training.batch_size
    if size == "full":
        return samples
    if size > samples:
        raise InputError(
            f"params.yaml: tasks.{task}.training.batch_size: must be at most {samples}, the size "
            f"of the training part, or full; got {size}"
        )
    return size


def snapshot_steps(training: Training, samples: int, size: int) -> list[int]:
    """The steps after which parameters are kept, equally spaced from 0 to the last step."""
    steps = training.epochs * math.ceil(samples / size)
    return sorted({round(step) for step in np.linspace(0, steps, training.snapshots)})


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """The random numbers of a training for one purpose, which those for others do not move."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))
