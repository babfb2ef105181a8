"""The order in which both twins take the samples, and the moments whose parameters are kept.

It is drawn once, by NumPy, and so are the initial parameters, see start.py: each from a stream of
random numbers of its own, so that the number of layers does not change the order of the samples.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.errors import InputError
from stages.task.table import Table
from stages.task.training import Training

Batch = NDArray[np.int64] | slice
ALL = slice(None)  # a full batch: its gradient does not depend on the order, and a view is free


@dataclass(frozen=True)
class Start:
    """Where both twins start.

    parameters: the initial ones by name
    seed: of the masks of dropout, which both draw at each step
    """

    parameters: Mapping[str, NDArray[Any]]
    seed: int


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
