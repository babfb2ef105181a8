"""Adam for gradients that are zero but for a few rows: the other rows keep their state as it is.

    in the rows of the gradient g, at step t:
    m = m + (1 - β₁) · (g - m)
    v = v + (1 - β₂) · (g² - v)
    p = p - lr · √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + eps)

The rule of Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, in the order of
operations at the end of their section 2: eps weighs 1 / √(1 - β₂ᵗ) times as much as in Adam. The
state of a row that comes back after a pause has not decayed, unlike that of zeros in Adam.
"""

import math
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

from stages.optim.arithmetic import Array, rounded
from stages.optim.arrays import require_arrays
from stages.optim.bounds import hyperparameters
from stages.optim.state import Stateful


class Rows(NamedTuple):
    """A gradient of (rows, ...) parameters by those of its rows that are not zero.

    indices: (k,) integers, each the number of a row; rows that are named twice are added up
    values: (k, ...) those rows of the gradient

    >>> Rows.of(np.array([[0.0, 0.0], [0.0, 3.0]]))
    Rows(indices=array([1]), values=array([[0., 3.]]))
    """

    indices: NDArray[np.integer]
    values: Array

    @classmethod
    def of(cls, gradients: Array) -> "Rows":
        """The rows of a dense gradient, (rows, ...), in which anything is not zero."""
        axes = tuple(range(1, gradients.ndim))
        indices = np.flatnonzero(gradients.any(axis=axes))
        return cls(indices, gradients[indices])


@hyperparameters
class SparseAdam(Stateful):
    """torch.optim.SparseAdam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square
    eps: added to the denominator
    maximize: climb instead of descend

    A step takes time in proportion to the rows of the gradient, not to those of the parameters.

    >>> parameters = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> gradient = Rows(indices=np.array([2, 0, 2]), values=np.array([[1, 1], [-2, 4], [1, 0]]))
    >>> SparseAdam(lr=0.1)(parameters, gradient)
    >>> parameters.round(6)
    array([[1.1, 1.9],
           [3. , 4. ],
           [4.9, 5.9]])
    """

    lr: Annotated[float, Gt(0)] = 1e-3
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]] = (0.9, 0.999)
    eps: Annotated[float, Gt(0)] = 1e-8
    maximize: bool = False

    each_array = True
    from_dense = staticmethod(Rows.of)
    state_names = ("exp_avg", "exp_avg_sq")

    def __call__(self, parameters: Array, gradients: Rows) -> None:
        """One step, in place; (rows, ...) parameters of one shape and dtype at all steps.

        Raises ValueError for parameters that are not float64 or float32, for a dense gradient and
        for rows that do not fit the parameters.
        """
        require_arrays(parameters, parameters, self._parameters)
        _require_rows_of(parameters, gradients)
        if self._parameters is None:
            self.begin(parameters)
        if self.changed:
            self.changed = False
            self._prepare(parameters)
        self._parameters = parameters
        self.steps += 1
        if gradients.values.size == 0:
            return
        rows, g = self._summed(gradients)
        means, squares = self.state["exp_avg"], self.state["exp_avg_sq"]
        old_m, old_v = means[rows], squares[rows]

        m = old_m + (g - old_m) * self._rest1
        v = old_v + (g * g - old_v) * self._rest2
        means[rows], squares[rows] = m, v

        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        step_size = rounded(self.lr * math.sqrt(correction2) / correction1, parameters)
        parameters[rows] -= step_size * (m / (np.sqrt(v) + self._eps))

    def new_state(self, parameters: Array) -> dict[str, Array]:
        # not zeros_like, which would write every row instead of asking for empty memory
        return {name: np.zeros(parameters.shape, parameters.dtype) for name in self.state_names}

    def _prepare(self, parameters: Array) -> None:
        self._rest1, self._rest2 = (rounded(1 - beta, parameters) for beta in self.betas)
        self._eps = rounded(self.eps, parameters)

    def _summed(self, gradients: Rows) -> Rows:
        """Each row once; those that are named twice are added up in the order they come in."""
        indices, values = gradients
        if self.maximize:
            values = -values
        rows, place = np.unique(indices, return_inverse=True)
        if len(rows) == len(indices):
            return Rows(indices, values)
        total = np.zeros((len(rows), *values.shape[1:]), values.dtype)
        np.add.at(total, place, values)
        return Rows(rows, total)


def _require_rows_of(parameters: Array, gradients: Rows) -> None:
    if not isinstance(gradients, Rows):
        raise ValueError("gradients must be Rows, got a dense array: give Rows.of(gradients)")
    indices, values = (np.asarray(part) for part in gradients)
    if parameters.ndim == 0:
        raise ValueError("parameters must have rows, got a single number")
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        got = f"{indices.dtype} of shape {indices.shape}"
        raise ValueError(f"indices must be (k,) integers, got {got}")
    expected = (len(indices), *parameters.shape[1:])
    if values.shape != expected:
        raise ValueError(f"values must have the shape {expected}, got {values.shape}")
    outside = indices[(indices < 0) | (indices >= len(parameters))]
    if outside.size:
        raise ValueError(f"indices must be in [0, {len(parameters)}), got {outside[0]}")
