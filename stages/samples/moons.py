"""Two interleaved half circles, a class each."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray


def generate(
    random: np.random.Generator,
    *,
    samples: Annotated[int, Ge(4), Le(10**8)] = 400,  # a billion take 50 GB
    noise: Annotated[float, Ge(0)] = 0.15,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Samples of two half circles of radius 1, each with an end within the other.

    Class 0 is the upper half of the circle around (0, 0), class 1 the lower half of the one around
    (1, 1/2). Each coordinate has normal noise of that standard deviation. Where `samples` is odd,
    class 1 has the one sample more.

    Returns x1, x2, class: (samples,) each.
    """
    angle = np.linspace(0, np.pi, samples // 2), np.linspace(0, np.pi, samples - samples // 2)
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])])
    lower = np.stack([1 - np.cos(angle[1]), 0.5 - np.sin(angle[1])])
    x1, x2 = np.hstack([upper, lower]) + noise * random.standard_normal((2, samples))
    return {"x1": x1, "x2": x2, "class": np.arange(2).repeat([len(angle[0]), len(angle[1])])}
