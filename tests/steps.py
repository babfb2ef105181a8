"""A step of each twin on given samples, as the stages train_numpy and train_torch take it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import torch
from networks import initial_parameters, network, torch_network
from numpy.typing import NDArray

from stages import optim
from stages.graph import Tiles
from stages.reference.operations.losses import LOSSES

Array = NDArray[Any]
Step = Callable[[], float]


def samples(sizes: Sequence[int], loss: str, dtype: str, count: int) -> tuple[Array, Array]:
    """x (count, features), and labels (count,) or numbers (count, outputs)."""
    random = np.random.default_rng(1)
    x = random.standard_normal((count, sizes[0]), np.float32).astype(dtype)
    if loss == "cross_entropy":
        return x, random.integers(sizes[-1], size=count)
    return x, x.sum(axis=1, keepdims=True).repeat(sizes[-1], axis=1)


def batches(count: int, size: int) -> Iterator[Array] | None:
    """An endless sequence of batches, or None where a batch is all samples."""
    if size == count:
        return None
    order = np.random.default_rng(2).permutation(count)
    return cycle([order[first : first + size] for first in range(0, count, size)])


def numpy_step(
    sizes: Sequence[int],
    activation: str,
    loss: str,
    dtype: str,
    x: Array,
    target: Array,
    batch: int,
    optimizer: tuple[str, dict[str, Any]],
) -> Step:
    net = network(sizes, activation, loss, dtype)
    for name, values in initial_parameters(sizes, "torch_linear", dtype, 1).items():
        net.graph.views(net.graph.parameters)[name][0] = values
    update = getattr(optim, optimizer[0])(**optimizer[1])
    tiles = Tiles(net.graph, net.loss, differentiate=True)
    inputs = {"x": x[None], "target": target[None]}
    order = batches(len(x), batch)
    tiles.feed(**inputs)

    def step() -> float:
        if order is not None:
            taken = next(order)
            tiles.feed(**{key: values[:, taken] for key, values in inputs.items()})
        value = tiles.gradients()
        update(net.graph.parameters, net.graph.gradients)
        return value.item()

    return step


def torch_step(
    sizes: Sequence[int],
    activation: str,
    loss: str,
    dtype: str,
    x: Array,
    target: Array,
    batch: int,
    optimizer: tuple[str, dict[str, Any]],
) -> Step:
    model = torch_network(sizes, activation, dtype)
    start = initial_parameters(sizes, "torch_linear", dtype, 1)
    model.load_state_dict({name: torch.from_numpy(values) for name, values in start.items()})
    update = getattr(torch.optim, optimizer[0])(model.parameters(), **optimizer[1])
    criterion = LOSSES[loss]
    inputs, targets = torch.from_numpy(x), torch.from_numpy(target)
    order = batches(len(x), batch)

    def step() -> float:
        taken = slice(None) if order is None else next(order)
        value = criterion(model(inputs[taken]), targets[taken])
        update.zero_grad()
        value.backward()
        update.step()
        return value.item()

    return step
