"""Round clouds of points, a class each."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.typing import NDArray
from pydantic import AfterValidator


def _same_length(centers: list[list[float]]) -> list[list[float]]:
    if len({len(center) for center in centers}) != 1 or not centers[0]:
        raise ValueError(f"must all have the same number of coordinates, got {centers}")
    return centers


def generate(
    random: np.random.Generator,
    *,
    samples_per_class: Annotated[int, Ge(2), Le(10**8)] = 100,  # a billion take 50 GB
    centers: Annotated[list[list[float]], MinLen(2), AfterValidator(_same_length)],
    deviation: Annotated[float, Ge(0)] = 1.0,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Samples of a normal distribution around each of the centers, one class after the other.

    Returns x1, x2, ...: (classes * samples_per_class,), a coordinate each; class: the index of the
    center, of the same shape.
    """
    label = np.arange(len(centers)).repeat(samples_per_class)
    middle = np.array(centers)[label]
    points = middle + deviation * random.standard_normal(middle.shape)
    return {f"x{axis}": points[:, axis - 1] for axis in range(1, points.shape[1] + 1)} | {
        "class": label
    }
