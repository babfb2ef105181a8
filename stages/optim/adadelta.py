"""Adadelta: steps in the units of the parameters, with no learning rate to choose.

    g = ∇f(p) + weight_decay · p
    v = ρ · v + (1 - ρ) · g²
    d = √(u + eps) / √(v + eps) · g
    u = ρ · u + (1 - ρ) · d²
    p = p - lr · d

Zeiler, "ADADELTA: an adaptive learning rate method", 2012, where lr is 1. The numerator is the
root mean square of the steps before this one: u still lacks d.
"""

from dataclasses import KW_ONLY
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from stages.optim.arithmetic import Array, MeanSquare, rounded
from stages.optim.bounds import Hyperparameter, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class Adadelta(ElementWise):
    """torch.optim.Adadelta in NumPy.

    lr: factor of each step
    rho: decay rate of the running means of the squares of gradient and step
    eps: added to both mean squares, under the root; the first steps are of its size
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> Adadelta(rho=0.75, eps=1e-2)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.000993])
    """

    lr: NotNegative = 1.0
    rho: Annotated[Hyperparameter, Ge(0), Le(1)] = 0.9
    eps: NotNegative = 1e-6
    weight_decay: NotNegative = 0.0
    _: KW_ONLY
    maximize: bool = False

    state_names = ("square_avg", "acc_delta")
    scratch_names = ("scratch", "step")

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._lr, self._eps = rounded(self.lr, parameters), rounded(self.eps, parameters)
        self._mean_square = MeanSquare(self.rho, parameters)

    def update(self, p: Array, g: Array, v: Array, u: Array, scratch: Array, step: Array) -> None:
        self._mean_square(v, g, scratch)
        np.add(v, self._eps, scratch)
        np.sqrt(scratch, scratch)
        np.add(u, self._eps, step)
        np.sqrt(step, step)
        np.divide(step, scratch, step)
        np.multiply(step, g, step)
        self._mean_square(u, step, scratch)
        np.multiply(step, self._lr, scratch)
        np.subtract(p, scratch, p)
