"""Muon: a matrix moves along its momentum made orthogonal, all singular values nearly 1.

    m = m + (1 - momentum) · (∇f(p) - m)
    u = ∇f(p) + momentum · (m - ∇f(p))            (without nesterov: u = m)
    x = u / max(‖u‖, eps)
    x = a · x + (b · xxᵀ + c · (xxᵀ)²) x          ns_steps times, by Newton and Schulz
    p = (1 - lr · weight_decay) · p - lr · √max(1, rows / columns) · x

K. Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024; the weight
decay, and 0.2 · √max(rows, columns) in place of the last root, which gives updates the size of
Adam's: Liu and others, "Muon is scalable for LLM training", 2025 (arXiv 2502.16982). As in torch,
the momentum is a running mean, where the papers have the sum m = momentum · m + ∇f(p); since x does
not depend on the size of u, that is the same but for eps and rounding. x is computed in bfloat16.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Lt

from stages.optim.arithmetic import Array, Lerp, rounded
from stages.optim.arrays import require_arrays, require_elements
from stages.optim.bfloat16 import (
    BFloat16,
    norm,
    product_by_fours,
    product_by_registers,
    product_in_order,
    to_bfloat16,
)
from stages.optim.bounds import hyperparameters
from stages.optim.state import Stateful

Coefficients = tuple[float, float, float]


@hyperparameters
class Muon(Stateful):
    """torch.optim.Muon in NumPy, for one matrix.

    lr: learning rate
    weight_decay: the share of the parameters that is lost at each step, times lr
    momentum: the share of the momentum that is kept, usually below 1
    nesterov: go from where the momentum leads, not along the momentum itself
    ns_coefficients: a, b and c of the polynomial that draws the singular values to 1
    eps: the least norm that the update is divided by
    ns_steps: how often the polynomial is applied
    adjust_lr_fn: the factor of lr, "original": √max(1, rows / columns), also if it is None, or
        "match_rms_adamw": 0.2 · √max(rows, columns)

    >>> parameters = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> Muon(lr=0.5)(parameters, np.array([[300.0, 0.0], [0.0, 100.0]]))
    >>> parameters.round(2)
    array([[0.57, 0.  ],
           [0.  , 0.38]])
    """

    lr: Annotated[float, Ge(0)] = 1e-3
    weight_decay: Annotated[float, Ge(0)] = 0.1
    momentum: Annotated[float, Ge(0)] = 0.95
    nesterov: bool = True
    ns_coefficients: Coefficients = (3.4445, -4.7750, 2.0315)
    eps: float = 1e-7
    ns_steps: Annotated[int, Ge(0), Lt(100)] = 5
    adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None

    each_array = True
    state_names = ("momentum_buffer",)
    number_names = ()

    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; both are (rows, columns), of one dtype at all steps.

        Raises ValueError for arrays that are no matrices, empty, not float64 or float32, or of
        other shapes.
        """
        require_arrays(parameters, gradients, self._parameters)
        if self._parameters is None:
            self._start(parameters)
        if self.changed:
            self.changed = False
            self._prepare(parameters)
        self._parameters = parameters
        update = momentum = self.state["momentum_buffer"]
        scratch = self._scratch
        self._towards_gradient(momentum, gradients, scratch)
        if self.nesterov:
            update = self._update
            np.copyto(update, gradients)
            self._towards_momentum(update, momentum, scratch)

        x = orthogonalized(update, self.ns_coefficients, self.ns_steps, self.eps)
        np.multiply(parameters, self._kept, parameters)
        np.multiply(x, self._lr, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        if parameters.ndim != 2:
            raise ValueError(f"parameters must have two dimensions, got {parameters.ndim}")
        require_elements(parameters)
        self.begin(parameters)
        self._update, self._scratch = np.empty_like(parameters), np.empty_like(parameters)

    def numbers(self) -> dict[str, Any]:
        return {}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None: ...

    def _prepare(self, parameters: Array) -> None:
        rows, columns = parameters.shape
        if self.adjust_lr_fn == "match_rms_adamw":
            factor = 0.2 * math.sqrt(max(rows, columns))
        else:
            factor = math.sqrt(max(1, rows / columns))
        self._lr = rounded(self.lr * factor, parameters)
        self._kept = rounded(1 - self.lr * self.weight_decay, parameters)
        self._towards_gradient = Lerp(1 - self.momentum, parameters)
        self._towards_momentum = Lerp(self.momentum, parameters)


def orthogonalized(matrix: Array, coefficients: Coefficients, steps: int, eps: float) -> BFloat16:
    """The matrix, (rows, columns), with its singular values drawn to 1, computed in bfloat16.

    A tall matrix is transposed meanwhile, so that its smaller side is squared. It then lies by
    columns until the first new x, which decides the order of the sums.
    """
    a, b, c = np.asarray(coefficients, np.float32)
    tall = matrix.shape[0] > matrix.shape[1]
    x = to_bfloat16(matrix)
    x = to_bfloat16(x / np.maximum(norm(x), to_bfloat16(np.asarray(eps))))
    if tall:
        x = x.T
    product_with_transpose = product_in_order if tall else product_by_registers
    product_with_x = product_by_registers if tall else product_by_fours
    for _ in range(steps):
        gram = to_bfloat16(product_with_transpose(x, x.T))
        change = to_bfloat16(b * gram + c * product_by_fours(gram, gram))
        x = to_bfloat16(a * x + product_with_x(change, x))
        product_with_transpose, product_with_x = product_by_registers, product_by_fours
    return x.T if tall else x
