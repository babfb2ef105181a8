"""Many runs at once: each computes to the last bit what it computes alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network
from numpy.typing import NDArray

from stages.graph import Tiles
from stages.models.network import Network
from stages.optim import SGD, Adam

Array = NDArray[Any]

RUNS = 8


@dataclass(frozen=True)
class Training:
    """sizes: features, hidden widths, outputs; tile: samples of a tile, None for its own choice"""

    sizes: tuple[int, ...]
    activation: str
    loss: str
    dtype: str
    samples: int
    batch: int
    shared: bool
    tile: int | None
    optimizer: str


TRAININGS = st.builds(
    Training,
    st.lists(st.sampled_from([1, 2, 3, 5, 10, 16]), min_size=2, max_size=4).map(tuple),
    st.sampled_from(["relu", "tanh", "sigmoid"]),
    st.sampled_from(["half_mse", "cross_entropy"]),
    st.sampled_from(["float64", "float32"]),
    st.integers(1, 70),
    st.integers(1, 70),
    st.booleans(),
    st.sampled_from([None, None, 1, 7, 32]),
    st.sampled_from(["sgd", "adam"]),
)


def build(training: Training, runs: int) -> tuple[Network, Tiles]:
    net = network(training.sizes, training.activation, training.loss, training.dtype, runs)
    tiles = Tiles(net.graph, net.loss, differentiate=True, shared_inputs=training.shared)
    if training.tile is not None:
        tiles.size = training.tile
    return net, tiles


def train(
    training: Training, starts: Array, x: Array, target: Array, lr: Any, order: Array
) -> list[Array]:
    """Losses, gradients and parameters after each of several steps of different batches.

    Where a gradient is 0 it may be +0 for many runs and -0 for one, or the other way round. That
    is the same number, and moves no parameter.
    """
    net, tiles = build(training, len(starts))
    net.graph.parameters[:] = starts
    optimizer = SGD(lr, 0.6, weight_decay=0.01) if training.optimizer == "sgd" else Adam(lr)
    found = []
    for first in range(0, len(order), training.batch):
        batch = order[first : first + training.batch]
        tiles.feed(x=x[:, batch], target=target[:, batch])
        with np.errstate(all="ignore"):  # some diverge, in the same way
            found.append(np.array(tiles.gradients(), training.dtype))
            found.append(net.graph.gradients.copy())
            optimizer(net.graph.parameters, net.graph.gradients)
        found.append(net.graph.parameters.copy())
    return found


def samples(training: Training, random: np.random.Generator) -> tuple[Array, Array]:
    lead = 1 if training.shared else RUNS
    x = random.normal(size=(lead, training.samples, training.sizes[0])).astype(training.dtype)
    if training.loss == "cross_entropy":
        return x, random.integers(training.sizes[-1], size=(lead, training.samples))
    y = random.normal(size=(lead, training.samples, training.sizes[-1]))
    return x, y.astype(training.dtype)


def compare(training: Training, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, target = samples(training, random)
    net, _ = build(training, 1)
    starts = random.uniform(-1, 1, (RUNS, net.graph.parameters.shape[1])).astype(training.dtype)
    rates = np.geomspace(1e-3, 1e-1, RUNS)
    order = np.concatenate([random.permutation(training.samples) for _ in range(2)])
    together = train(training, starts, x, target, rates, order)
    for run in range(RUNS):
        own = slice(0, 1) if training.shared else slice(run, run + 1)
        alone = train(
            training, starts[run : run + 1], x[own], target[own], float(rates[run]), order
        )
        for many, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(many[run], one[0])
        last, last_alone = together[-1][run], alone[-1][0]
        number = ~np.isnan(last_alone)  # the bits of a NaN mean nothing
        assert last[number].tobytes() == last_alone[number].tobytes()


@settings(max_examples=40)
@given(TRAININGS, st.integers(0, 2**32))
def test_each_of_8_runs_is_that_run_alone(training: Training, seed: int) -> None:
    compare(training, seed)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("tile", [None, 64])
def test_each_of_8_classifiers_of_the_seed_is_that_classifier_alone(
    dtype: str, tile: int | None
) -> None:
    sizes, full = (2, 10, 2), 200
    training = Training(sizes, "relu", "cross_entropy", dtype, full, full, True, tile, "sgd")
    compare(training, seed=1)
