"""One step of each optimizer beside torch.optim's default path, few parameters and many."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stages.optim import OPTIMIZERS
from stages.reference.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("count", "target", "rounds"), [(52, 3, 21), (10_000_000, 1, 5)])
def test_optimizer(
    name: str, count: int, target: float, rounds: int, race: Callable[..., Any]
) -> None:
    random = np.random.default_rng(1)
    parameters, gradients = random.normal(size=(2, 1, count)).astype(np.float32)
    ours, theirs = OPTIMIZERS[name](), torch.tensor(parameters, requires_grad=True)
    theirs.grad = torch.tensor(gradients)
    torch_optimizer = TORCH_OPTIMIZERS[name]([theirs])
    race(
        f"{OPTIMIZERS[name].__name__}, {count:,} parameters, float32",
        lambda: ours(parameters, gradients),
        torch_optimizer.step,
        target,
        rounds=rounds,
    )
