"""Adafactor: steps scaled by the size of the parameters, and by mean squares kept as two factors.

    α = max(eps₂, RMS(p)) · min(lr, 1 / √t)       RMS(x) = √(mean of x²)
    p = (1 - lr · weight_decay) · p
    r = r + tᵝ · (mean of g² in each row - r)     β = beta2_decay
    c = c + tᵝ · (mean of g² in each column - c)
    v = r · c / max(mean of r, eps₁)              (vectors: v = v + tᵝ · (g² - v))
    u = g / √max(v, eps₁²)
    p = p - α · u / max(1, RMS(u) / d)

Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018. lr
and the places of eps₁ are those of torch; the paper has 0.01 for lr, and adds eps₁ to g².
"""

import math
from dataclasses import KW_ONLY
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from stages.optim.arithmetic import Array, Direction, Lerp, rounded
from stages.optim.arrays import require_arrays, require_elements
from stages.optim.bounds import hyperparameters
from stages.optim.state import Stateful


@hyperparameters
class Adafactor(Stateful):
    """torch.optim.Adafactor in NumPy.

    lr: the largest step, relative to the size of the parameters
    beta2_decay: power of the step with which new squares lose weight
    eps: the smallest root mean square of the gradient, None for the rounding unit of the dtype, and
        that of the parameters
    d: the largest root mean square of an update before it is scaled down
    weight_decay: factor of the decay of the parameters themselves
    maximize: climb instead of descend

    Works on one array in its own shape: of a matrix or a stack of matrices it keeps one number for
    each row and each column, of a vector or a number one for each element.

    >>> parameters = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> Adafactor(lr=0.1)(parameters, np.array([[1.0, -1.0], [1.0, -1.0]]))
    >>> parameters.round(6)
    array([[0.726139, 2.273861],
           [2.726139, 4.273861]])
    """

    lr: Annotated[float, Ge(0)] = 1e-2
    beta2_decay: Annotated[float, Le(0)] = -0.8
    eps: tuple[Annotated[float, Ge(0)] | None, Annotated[float, Ge(0)]] = (None, 1e-3)
    d: Annotated[float, Ge(1)] = 1.0
    weight_decay: Annotated[float, Ge(0)] = 0.0
    _: KW_ONLY
    maximize: bool = False

    each_array = True
    state_names = ("row_var", "col_var", "variance")

    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps.

        Raises ValueError for arrays that are empty, not float64 or float32, or of other shapes.
        """
        require_arrays(parameters, gradients, self._parameters)
        if self._parameters is None:
            require_elements(parameters)
            self._start(parameters)
        if self.changed:
            self.changed = False
            self._prepare(parameters)
        self._parameters = parameters
        self.steps += 1
        update, squares, (_, eps2) = self._update, self._squares, self.eps

        size = self._root_mean_square(parameters)
        alpha = max(eps2, size) * min(self.lr, 1 / math.pow(self.steps, 0.5))
        g = self._direction(parameters, gradients, self._negated)

        np.multiply(g, g, squares)
        towards = Lerp(math.pow(self.steps, self.beta2_decay), parameters)
        if g.ndim > 1:
            rows, columns = self.state["row_var"], self.state["col_var"]
            towards(rows, mean_square(squares, -1), np.empty_like(rows))
            towards(columns, mean_square(squares, -2), np.empty_like(columns))
            np.multiply(rows, columns, update)
            np.divide(update, np.maximum(mean(rows), self._eps1), update)
            np.maximum(update, self._eps1_squared, out=update)
        else:
            variance = self.state["variance"]
            towards(variance, squares, update)
            np.maximum(variance, self._eps1_squared, out=update)

        np.sqrt(update, update)
        np.divide(1, update, update)
        np.multiply(update, g, update)
        alpha /= max(1.0, self._root_mean_square(update, self.d))
        np.multiply(update, rounded(alpha, parameters), update)
        np.subtract(parameters, update, parameters)

    def new_state(self, parameters: Array) -> dict[str, Array]:
        if parameters.ndim < 2:
            return {"variance": np.zeros_like(parameters)}
        rows, columns = parameters[..., :1], parameters[..., :1, :]
        return {"row_var": np.zeros_like(rows), "col_var": np.zeros_like(columns)}

    def _prepare(self, parameters: Array) -> None:
        eps1, _ = self.eps
        if eps1 is None:
            eps1 = float(np.finfo(parameters.dtype).eps)
        self._eps1, self._eps1_squared = rounded(eps1, parameters), rounded(eps1 * eps1, parameters)
        self._direction = Direction(parameters, self.weight_decay, self.maximize, self.lr)

    def _start(self, parameters: Array) -> None:
        self.begin(parameters)
        self._squares, self._update, self._negated = (np.empty_like(parameters) for _ in range(3))

    def _root_mean_square(self, values: Array, unit: float = 1.0) -> float:
        if values.size == 1:  # as torch.norm: the square of a number may underflow
            return abs(float(values.item())) / unit
        np.multiply(values, values, self._squares)
        root: float = root_of_sum(self._squares.reshape(-1)).item()
        return root / (math.pow(values.size, 0.5) * unit)


# What follows adds up in the order of torch's kernels: element by element side by side in the lanes
# of a vector register, and the lanes at the end.
REGISTER = 32  # bytes


def mean_square(squares: Array, axis: int) -> Array:
    """The mean over the last axis or the one before it, which remains with length 1."""
    if axis == -2 and squares.shape[-1] > 1:
        root = np.sqrt(np.add.reduce(squares, axis=-2, keepdims=True))  # row after row
    elif axis == -2:
        root = root_of_sum(squares.swapaxes(-1, -2)).swapaxes(-1, -2)
    else:
        root = root_of_sum(squares)
    np.multiply(root, root, root)
    return np.divide(root, squares.shape[axis], root)


def root_of_sum(squares: Array) -> Array:
    """√Σ over the last axis, which remains with length 1, as torch.norm: the last few come last."""
    *others, count = squares.shape
    lanes = REGISTER // squares.itemsize
    in_lanes = count - count % lanes
    vectors = squares[..., :in_lanes].reshape(*others, -1, lanes)
    return np.sqrt(in_turn(-1, row_by_row(vectors), squares[..., in_lanes:]))


def mean(rows: Array) -> Array:
    """The mean over the last axis but one of (..., rows, 1), as torch.mean.

    Four registers are filled in turn, and the sums of each cascade.
    """
    values = rows[..., 0]
    *others, count = values.shape
    lanes = REGISTER // values.itemsize
    if count < lanes:
        lanes = 1
    in_lanes = count - count % lanes
    vectors = values[..., :in_lanes].reshape(*others, -1, lanes)
    in_fours = vectors.shape[-2] - vectors.shape[-2] % 4
    four = cascade(vectors[..., :in_fours, :].reshape(*others, -1, 4 * lanes))
    four = four.reshape(*others, 4, lanes)
    vector = in_turn(-2, four[..., :1, :], vectors[..., in_fours:, :], four[..., 1:, :])
    total = in_turn(-1, values[..., in_lanes:], vector[..., 0, :])
    return np.divide(total[..., None], count)


def cascade(values: Array) -> Array:
    """Σ over the last axis but one, in blocks of 16, then in blocks of those, and of those.

    Above 8 million rows torch takes larger blocks; in several threads it shares 32768 or more.
    """
    width = values.shape[-1]
    total: Array = np.zeros(1, values.dtype)
    for _ in range(3):
        in_blocks = values.shape[-2] - values.shape[-2] % 16
        if in_blocks == 0:
            break
        total = total + row_by_row(values[..., in_blocks:, :])
        blocks = values[..., :in_blocks, :].reshape(*values.shape[:-2], -1, 16, width)
        values = row_by_row(blocks)
    return np.add(total, row_by_row(values))


def row_by_row(values: Array) -> Array:
    """Σ over the last axis but one; np.sum has the same order and takes 2.5 times as long."""
    sums: Array = np.einsum("...ij->...j", values)
    return sums


def in_turn(axis: int, *parts: Array) -> Array:
    """Σ over an axis of all parts, which remains with length 1: one element after the other."""
    sums: Array = np.add.accumulate(np.concatenate(parts, axis), axis)
    return sums.take([-1], axis)
