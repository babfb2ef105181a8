"""The arithmetic that the optimizers share, in the order of operations of torch's kernels."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.optim.bounds import Hyperparameter

Array = NDArray[Any]
Runs = bool | NDArray[np.bool_]  # what holds for all runs or not, or for each, (runs,)


# Bytes of parameters at a time: with their gradients and their state they stay in the cache.
CHUNK = 2**18


def chunks(array: Array, size: int = CHUNK) -> list[Any]:
    """The indices of the chunks of an array along its last axis; size: of each, in bytes."""
    count, width = array.shape[-1] if array.ndim else 1, size // array.itemsize
    if count <= width:
        return [...]
    return [(..., slice(at, at + width)) for at in range(0, count, width)]


def rounded(value: Hyperparameter, parameters: Array) -> Array:
    """The hyperparameter in the parameters' dtype: 0-d, or (runs, 1) to go with (runs, n)."""
    array = np.asarray(value, parameters.dtype)
    return array[:, None] if array.ndim else array


def power(base: Hyperparameter, exponent: Hyperparameter) -> Hyperparameter:
    """`base ** exponent` in Python's own floats, as torch has it; NumPy's may differ by an ULP."""
    if isinstance(base, np.ndarray) or isinstance(exponent, np.ndarray):
        return each(math.pow, base, exponent)
    return math.pow(base, exponent)


def each(function: Callable[..., float], *values: Hyperparameter) -> Hyperparameter:
    """The function of the hyperparameters in Python's own floats, for each run if one has runs."""
    if any(isinstance(value, np.ndarray) for value in values):
        runs = zip(*(array.tolist() for array in np.broadcast_arrays(*values)), strict=True)
        return np.array([function(*run) for run in runs])
    return function(*map(float, values))


def single(value: Hyperparameter) -> Hyperparameter:
    """The value rounded to single precision, as torch keeps a few numbers whatever the dtype."""
    return np.float64(np.float32(value))


def some(runs: Runs) -> bool:
    """Whether it holds for any run."""
    return bool(runs.any()) if isinstance(runs, np.ndarray) else runs


def rows(runs: Runs) -> Any:
    """The index of the rows of the runs for which it holds; None if there are none."""
    if not some(runs):
        return None
    return np.flatnonzero(runs) if isinstance(runs, np.ndarray) and not runs.all() else ...


class Direction:
    """What an optimizer follows: the gradient, negated to climb, with the decay of the weights.

    decoupled_lr: the learning rate of an optimizer that decays the parameters, not the gradient
    """

    def __init__(
        self,
        parameters: Array,
        weight_decay: Hyperparameter,
        maximize: bool,
        decoupled_lr: Hyperparameter | None = None,
    ) -> None:
        self._maximize, decays = maximize, some(weight_decay != 0)
        self._decoupled = decays and decoupled_lr is not None
        self._penalized = decays and decoupled_lr is None
        kept = weight_decay if decoupled_lr is None else 1 - decoupled_lr * weight_decay
        self._factor = rounded(kept, parameters)
        self._without = rows(weight_decay == 0)

    def __call__(self, parameters: Array, gradients: Array, memory: Array) -> Array:
        """The direction, in `memory` or `gradients`; a decoupled decay is applied in place."""
        if self._decoupled:
            np.multiply(parameters, self._factor, parameters)
        elif self._penalized:
            np.multiply(parameters, self._factor, memory)
            combine = np.subtract if self._maximize else np.add
            combine(memory, gradients, memory)
            if self._without is not None:  # runs where 0 · p would make NaN of infinity
                rest = gradients[self._without]
                memory[self._without] = -rest if self._maximize else rest
            return memory
        return np.negative(gradients, memory) if self._maximize else gradients


class MeanSquare:
    """A running mean of squares: decay · mean + (1 - decay) · value²."""

    def __init__(self, decay: Hyperparameter, parameters: Array) -> None:
        self._decay, self._rest = rounded(decay, parameters), rounded(1 - decay, parameters)

    def __call__(self, mean: Array, values: Array, scratch: Array) -> None:
        """Moves `mean` on by one value, in place."""
        np.multiply(mean, self._decay, mean)
        np.multiply(values, self._rest, scratch)
        np.multiply(scratch, values, scratch)
        np.add(mean, scratch, mean)


class Lerp:
    """Linear interpolation towards an end, from the nearer side as torch.lerp.

    start + weight · (end - start) for |weight| < ½, end - (1 - weight) · (end - start) otherwise
    """

    def __init__(self, weight: Hyperparameter, parameters: Array) -> None:
        weights = rounded(weight, parameters)
        self._near_end = np.abs(weights) >= 0.5
        self._some_near_end = some(self._near_end) if weights.ndim else bool(self._near_end)
        self._factor = np.asarray(weights - self._near_end)

    def __call__(self, start: Array, end: Array, scratch: Array) -> None:
        """Moves `start` towards `end`, in place."""
        np.subtract(end, start, scratch)
        np.multiply(scratch, self._factor, scratch)
        if self._some_near_end:
            np.copyto(start, end, where=self._near_end)
        np.add(start, scratch, start)
