"""Noisy points along a straight line."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray


def generate(
    random: np.random.Generator,
    *,
    samples: Annotated[int, Ge(2), Le(10**8)] = 1100,  # a billion take 50 GB
    start: float = 0.0,
    stop: float = 10.0,
    slope: float = 10.0,
    intercept: float = 5.0,
    noise: Annotated[float, Ge(0)] = 5.0,
) -> dict[str, NDArray[np.float64]]:
    """Samples of y = slope·x + intercept + noise·U(0, 1).

    The noise is never negative: its mean raises the line by noise/2. Least squares finds an
    intercept of about intercept + noise/2.

    Returns x: (samples,), equally spaced from start to stop; y: (samples,).
    """
    x = np.linspace(start, stop, samples)
    return {"x": x, "y": slope * x + intercept + noise * random.random(samples)}
