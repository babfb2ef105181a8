"""What dropout keeps, the same for both twins."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stages.training.plan import stream


def mask(
    seed: int, step: int, name: str, shape: tuple[int, ...], p: float, dtype: DTypeLike
) -> NDArray[Any]:
    """Each number 0 with probability p and 1 / (1 - p) otherwise, as torch rounds that.

    Each layer has at each step a mask of its own, however often it is asked for, and whichever
    other layers there are. The same elements are kept in every dtype.

    step: the number of steps taken before, from the start of the training
    name: of the layer
    """
    kept = stream(seed, 3, step, *name.encode()).random(shape, np.float32) >= p
    scale = np.asarray(1, dtype) / np.asarray(1 - p if p < 1 else 1, dtype)
    drawn: NDArray[Any] = kept * scale
    return drawn
