"""The arithmetic that the optimizers share, in the order of operations of torch's kernels."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Hyperparameter = float | NDArray[np.float64]  # one for all runs, or (runs,)


def rounded(value: Hyperparameter, parameters: Array) -> Array:
    """The hyperparameter in the parameters' dtype: 0-d, or (runs, 1) to go with (runs, n)."""
    array = np.asarray(value, parameters.dtype)
    return array[:, None] if array.ndim else array


def power(base: Hyperparameter, exponent: float) -> Hyperparameter:
    """`base ** exponent` in Python's own floats, as torch has it; NumPy's may differ by an ULP."""
    if isinstance(base, np.ndarray):
        return np.array([float(one) ** exponent for one in base])
    return math.pow(base, exponent)


class Lerp:
    """Linear interpolation towards an end, from the nearer side as torch.lerp.

    start + weight · (end - start) for weight < ½, end - (1 - weight) · (end - start) otherwise
    """

    def __init__(self, weight: Hyperparameter, parameters: Array) -> None:
        weights = rounded(weight, parameters)
        self._near_start = weights < 0.5
        self._factor = np.where(self._near_start, weights, weights - 1)

    def __call__(self, start: Array, end: Array, scratch: Array) -> None:
        """Moves `start` towards `end`, in place."""
        np.subtract(end, start, scratch)
        np.multiply(scratch, self._factor, scratch)
        if self._near_start.all():
            np.add(start, scratch, start)
        else:
            np.add(np.where(self._near_start, start, end), scratch, start)
