"""Spirals that wind around one another, a class each."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray


def generate(
    random: np.random.Generator,
    *,
    arms: Annotated[int, Ge(2)] = 3,
    samples_per_arm: Annotated[int, Ge(2)] = 100,
    turns: Annotated[float, Gt(0)] = 0.75,
    noise: Annotated[float, Ge(0)] = 0.02,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Samples of Archimedean spirals from the origin out to radius 1.

    The arms start in directions equally spaced around the circle, and each turns by `turns` full
    circles. Each coordinate has normal noise of standard deviation `noise`.

    Returns x1, x2, class: (arms * samples_per_arm,) each.
    """
    label = np.arange(arms).repeat(samples_per_arm)
    radius = np.tile(np.linspace(0, 1, samples_per_arm), arms)
    angle = 2 * np.pi * (label / arms + turns * radius)
    points = radius * np.stack([np.cos(angle), np.sin(angle)])
    x1, x2 = points + noise * random.standard_normal(points.shape)
    return {"x1": x1, "x2": x2, "class": label}
