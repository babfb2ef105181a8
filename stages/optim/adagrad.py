"""Adagrad: steps divided by the root of the sum of all squared gradients.

    g = ∇f(p) + weight_decay · p
    s = s + g²                                    (s = initial_accumulator_value before)
    p = p - lr / (1 + (t - 1) · lr_decay) · g / (√s + eps)

Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
optimization", JMLR 2011. t counts the steps from 1.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, rounded
from stages.optim.bounds import NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class Adagrad(ElementWise):
    """torch.optim.Adagrad in NumPy.

    lr: learning rate
    lr_decay: how fast the learning rate falls with the number of steps
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    initial_accumulator_value: the sum of squares before the first step
    eps: added to the denominator
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> Adagrad(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    lr: NotNegative = 1e-2
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    initial_accumulator_value: NotNegative = 0.0
    eps: NotNegative = 1e-10
    _: KW_ONLY
    maximize: bool = False

    state_names = ("sum",)
    scratch_names = ("scratch", "denominator")

    def require(self, assigned: Mapping[str, Any]) -> None:
        if "initial_accumulator_value" in assigned:
            raise ValueError("initial_accumulator_value cannot change: it is where the sum began")

    def new_state(self, parameters: Array) -> dict[str, Array]:
        return {
            "sum": np.full_like(parameters, rounded(self.initial_accumulator_value, parameters))
        }

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._eps = rounded(self.eps, parameters)

    def begin_step(self, parameters: Array) -> None:
        self._step_size = rounded(self.lr / (1 + (self.steps - 1) * self.lr_decay), parameters)

    def update(self, p: Array, g: Array, s: Array, scratch: Array, denominator: Array) -> None:
        np.multiply(g, g, scratch)
        np.add(s, scratch, s)
        np.sqrt(s, denominator)
        np.add(denominator, self._eps, denominator)
        np.multiply(g, self._step_size, scratch)
        np.divide(scratch, denominator, scratch)
        np.subtract(p, scratch, p)
