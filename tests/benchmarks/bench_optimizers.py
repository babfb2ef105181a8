"""One step of each optimizer beside torch.optim's, few parameters and many."""

import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stages import optim

# The arrays of the parameters' size that a step must read or write at least: the gradients are
# read, the parameters and each kind of state read and written.
TRANSFERS = {
    "SGD": 3,
    "Adam": 7,
    "AdamW": 7,
    "Adamax": 7,
    "NAdam": 7,
    "RAdam": 7,
    "Adagrad": 5,
    "Adadelta": 7,
    "RMSprop": 5,
    "Rprop": 7,
    "ASGD": 4,  # up to step t0 the average is not read
}
FEW, MANY = 52, 10_000_000


def test_memory(race: Callable[..., Any]) -> None:
    """What the memory gives where next to nothing is computed."""
    a, b = np.zeros((2, MANY), np.float32)
    torch_a, torch_b = torch.zeros(2, MANY)
    result = race(
        f"a += b, {MANY:,} numbers, float32",
        lambda: np.add(a, b, a),
        lambda: torch_a.add_(torch_b),
        rounds=6,
    )
    speeds = (3 * a.nbytes / statistics.median(times) for times in (result.numpy, result.torch))
    result.note = " and ".join(f"{speed / 1e9:.0f}" for speed in speeds) + " GB/s"


@pytest.mark.parametrize(
    ("name", "count", "target", "fused"),
    [(name, FEW, 3, False) for name in TRANSFERS]
    + [(name, MANY, 1, False) for name in TRANSFERS]
    + [(name, MANY, None, True) for name in ("SGD", "Adam", "AdamW", "Adagrad")],
)
def test_optimizer(
    name: str, count: int, target: float | None, fused: bool, race: Callable[..., Any]
) -> None:
    random = np.random.default_rng(1)
    parameters, gradients = random.normal(size=(2, 1, count)).astype(np.float32)
    ours, theirs = getattr(optim, name)(), torch.tensor(parameters, requires_grad=True)
    theirs.grad = torch.tensor(gradients)
    # by default torch fuses nothing on a CPU
    torch_optimizer = getattr(torch.optim, name)([theirs], **({"fused": True} if fused else {}))
    result = race(
        f"{name}, {count:,} parameters, float32" + ", fused" * fused,
        lambda: ours(parameters, gradients),
        torch_optimizer.step,
        target,
        # even: as many in which torch's data is in the cache as in which ours is
        rounds=20 if count == FEW else 6,
    )
    if count == MANY:
        attained = TRANSFERS[name] * parameters.nbytes / statistics.median(result.numpy)
        share = attained / bandwidth(parameters, gradients)
        result.note = f"{attained / 1e9:.0f} GB/s, {share:.0%} of a sum's"


def bandwidth(a: np.ndarray, b: np.ndarray) -> float:
    """Bytes a second of `a += b`, which reads both arrays once and writes one."""
    seconds = timeit.repeat(lambda: np.add(a, b, a), number=3, repeat=9)
    return 3 * a.nbytes * 3 / statistics.median(seconds)
