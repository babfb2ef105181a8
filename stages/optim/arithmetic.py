"""The arithmetic that the optimizers share, in the order of operations of torch's kernels."""

import math
from collections.abc import Callable
from copy import copy
from functools import lru_cache, wraps
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Hyperparameter = float | NDArray[np.float64]  # one for all runs, or (runs,)


def require(holds: bool | NDArray[np.bool_], name: str, value: Hyperparameter, rule: str) -> None:
    """Raises ValueError, with the first value that is wrong, unless it holds for every run."""
    if not np.all(holds):
        where = ""
        if isinstance(value, np.ndarray):
            run = int(np.argmin(holds))
            value, where = value[run], f" in run {run}"
        raise ValueError(f"{name} must be {rule}, got {value}{where}")


def require_not_negative(**hyperparameters: Hyperparameter) -> None:
    """Raises ValueError for the first of them with a value below 0."""
    for name, value in hyperparameters.items():
        require(value >= 0, name, value, "at least 0")


def require_betas(betas: tuple[Hyperparameter, ...]) -> None:
    """Raises ValueError for the first decay rate that is not in [0, 1)."""
    for index, beta in enumerate(betas):
        holds = np.greater_equal(beta, 0) & np.less(beta, 1)
        require(holds, f"betas[{index}]", beta, "in [0, 1)")


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
        self._maximize, self._decays = maximize, np.any(weight_decay)
        self._decoupled = decoupled_lr is not None
        kept = weight_decay if decoupled_lr is None else 1 - decoupled_lr * weight_decay
        self._factor = rounded(kept, parameters)
        self._scratch, self._gradient = workspace(parameters, 0), workspace(parameters, 1)

    def __call__(self, parameters: Array, gradients: Array) -> Array:
        """The direction; decays the parameters in place if that is decoupled."""
        g = gradients
        if self._maximize:
            g = np.negative(g, self._gradient)
        if self._decays and self._decoupled:
            np.multiply(parameters, self._factor, parameters)
        elif self._decays:
            np.multiply(parameters, self._factor, self._scratch)
            g = np.add(g, self._scratch, self._gradient)
        return g


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
        self._some_near_end = bool(self._near_end.any())
        self._factor = np.where(self._near_end, weights - 1, weights)

    def __call__(self, start: Array, end: Array, scratch: Array) -> None:
        """Moves `start` towards `end`, in place."""
        np.subtract(end, start, scratch)
        np.multiply(scratch, self._factor, scratch)
        if self._some_near_end:
            np.copyto(start, end, where=self._near_end)
        np.add(start, scratch, start)


# Bytes of parameters at a time: with their gradients and their state they stay in the cache.
CHUNK = 2**18

Step = Callable[[Any, Array, Array], None]


def in_chunks(step: Step) -> Step:
    """An element-wise optimizer's `__call__`, chunk by chunk where there are many parameters.

    A step passes over its arrays several times. Each chunk has an optimizer of its own, with the
    state of its parameters.
    """

    @wraps(step)
    def whole(optimizer: Any, parameters: Array, gradients: Array) -> None:
        count = parameters.shape[-1] if parameters.ndim else 1
        size = CHUNK // parameters.itemsize
        if count <= size:
            step(optimizer, parameters, gradients)
            return
        if optimizer.steps == 0:
            starts = range(0, count, size)
            optimizer.chunks = [(slice(at, at + size), copy(optimizer)) for at in starts]
        optimizer.steps += 1
        for columns, chunk in optimizer.chunks:
            step(chunk, parameters[..., columns], gradients[..., columns])

    return whole


def workspace(parameters: Array, number: int, dtype: DTypeLike | None = None) -> Array:
    """Memory like `parameters`, the same for all chunks: what it holds is gone after a step."""
    return _workspace(parameters.shape, np.dtype(dtype or parameters.dtype), number)


@lru_cache(maxsize=32)
def _workspace(shape: tuple[int, ...], dtype: np.dtype[Any], _number: int) -> Array:
    return np.empty(shape, dtype)
