"""One training step of each twin, side by side."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from image_steps import LENET, SMALL, Net, image_steps
from steps import numpy_step, samples, torch_step


@dataclass(frozen=True)
class Workload:
    """target: how often as fast as torch NumPy is to be, None where nothing is promised"""

    sizes: tuple[int, ...]
    activation: str
    loss: str
    dtype: str
    count: int
    batch: int
    optimizer: tuple[str, dict[str, Any]]
    target: float | None
    threads: int = 1


SGD, MOMENTUM = ("SGD", {"lr": 0.02}), ("SGD", {"lr": 0.03, "momentum": 0.6})
ADAM = ("Adam", {"lr": 0.01})
CLASSIFIER, LINE, MOONS, WIDE = (2, 10, 2), (1, 1), (2, 16, 16, 2), (784, 256, 10)

WORKLOADS = {
    "2-10-2 relu, full batch of 200, SGD, float32": Workload(
        CLASSIFIER, "relu", "cross_entropy", "float32", 200, 200, SGD, 7
    ),
    "2-10-2 relu, full batch of 200, SGD, float64": Workload(
        CLASSIFIER, "relu", "cross_entropy", "float64", 200, 200, SGD, None
    ),
    "line, batch 100 of 1000, momentum, float32": Workload(
        LINE, "relu", "half_mse", "float32", 1000, 100, MOMENTUM, 7
    ),
    "line, batch 100 of 1000, momentum, float64": Workload(
        LINE, "relu", "half_mse", "float64", 1000, 100, MOMENTUM, 7
    ),
    "2-16-16-2 tanh, batch 32 of 300, Adam, float64": Workload(
        MOONS, "tanh", "cross_entropy", "float64", 300, 32, ADAM, None
    ),
    "784-256-10 relu, batch 128, SGD, float32, 1 thread": Workload(
        WIDE, "relu", "cross_entropy", "float32", 1280, 128, SGD, 1
    ),
    "784-256-10 relu, batch 128, SGD, float32, 2 threads": Workload(
        WIDE, "relu", "cross_entropy", "float32", 1280, 128, SGD, 1, threads=2
    ),
}


@pytest.mark.parametrize("name", WORKLOADS)
def test_step(name: str, race: Callable[..., Any]) -> None:
    work = WORKLOADS[name]
    x, target = samples(work.sizes, work.loss, work.dtype, work.count)
    common = (work.sizes, work.activation, work.loss, work.dtype, x, target, work.batch)
    numpy, torch = (make(*common, work.optimizer) for make in (numpy_step, torch_step))
    race(name, numpy, torch, work.target, work.threads)


# The net, the size of its images, the batch, how many runs at once, and the target.
IMAGES: dict[str, tuple[Net, int, int, int, float]] = {
    "2 convolutions, 12x12, batch 32": (SMALL, 12, 32, 1, 1),
    "2 convolutions, 12x12, batch 128": (SMALL, 12, 128, 1, 1),
    "2 convolutions, 16x16, batch 32": (SMALL, 16, 32, 1, 1),
    "2 convolutions, 16x16, batch 128": (SMALL, 16, 128, 1, 1),
    "LeNet-5, 28x28, batch 128": (LENET, 28, 128, 1, 1),
    "2 convolutions, 12x12, batch 32, 16 runs at once": (SMALL, 12, 32, 16, 2),
    "2 convolutions, 16x16, batch 32, 16 runs at once": (SMALL, 16, 32, 16, 2),
}


@pytest.mark.parametrize("name", IMAGES)
def test_step_of_a_convolutional_net(name: str, race: Callable[..., Any]) -> None:
    net, size, batch, runs, target = IMAGES[name]
    numpy, torch = image_steps(net, size, batch, runs)
    race(f"{name}, SGD, float32", numpy, torch, target)
