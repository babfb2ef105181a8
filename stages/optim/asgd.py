"""ASGD: stochastic gradient descent with a falling rate, and an average of its way.

    g = ∇f(p) + weight_decay · p
    p = (1 - lambd · η) · p - η · g
    a = a + μ · (p - a)
    η = lr / (1 + lambd · lr · t)^alpha           (for the next step; lr at the first)
    μ = 1 / max(1, t - t0)                        (for the next step; 1 at the first)

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on
Control and Optimization 1992. t counts the steps from 1. Up to step t0 + 2 the average a is p
itself, from there on it is the mean of all p. η and μ are rounded to single precision, as torch
keeps them. A negative lambd makes 1 + lambd · lr · t negative in the end: its power is complex
then, and η the real part, as in torch.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, each, rounded, single
from stages.optim.bounds import Hyperparameter, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class ASGD(ElementWise):
    """torch.optim.ASGD in NumPy; `state["ax"]` is the average.

    lr: learning rate of the first step
    lambd: decay of the parameters, and of the learning rate
    alpha: power with which the learning rate falls
    t0: averaging begins two steps after this one
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    >>> parameters, optimizer = np.array([2.0]), ASGD(lr=0.25, lambd=0.0, t0=0)
    >>> for gradient in (4.0, 2.0, 2.0):
    ...     optimizer(parameters, np.array([gradient]))
    >>> parameters, optimizer.state["ax"]
    (array([0.]), array([0.25]))
    """

    lr: NotNegative = 1e-2
    lambd: Hyperparameter = 1e-4
    alpha: Hyperparameter = 0.75
    t0: Hyperparameter = 1e6
    weight_decay: NotNegative = 0.0
    _: KW_ONLY
    maximize: bool = False

    number_names = ("step", "eta", "mu")
    state_names = ("ax",)

    def new_state(self, parameters: Array) -> dict[str, Array]:
        self._next_eta, self._next_copies = single(self.lr), True
        self._next_mu: Hyperparameter = 1.0
        return super().new_state(parameters)

    def numbers(self) -> dict[str, Any]:
        return super().numbers() | {"eta": self._next_eta, "mu": self._next_mu}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None:
        super().take_numbers(loaded)
        self._next_eta, self._next_mu = (
            loaded[name].astype(np.float64)[()] for name in ("eta", "mu")
        )
        self._next_copies = bool(np.all(self._next_mu == 1))

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._rate_of = self.lr, self.lambd, self.alpha
        self._last_copy = float(np.min(self.t0)) + 1  # until then the next averages are all copies

    def begin_step(self, parameters: Array) -> None:
        t, (lr, lambd, alpha) = self.steps, self._rate_of
        eta, self._copies = self._next_eta, self._next_copies
        self._eta, self._kept = rounded(eta, parameters), rounded(1 - lambd * eta, parameters)
        if not self._copies:
            self._mu = rounded(self._next_mu, parameters)

        self._next_eta = single(each(_rate, lr, 1 + lambd * lr * t, alpha))
        self._next_copies = t <= self._last_copy
        self._next_mu = 1.0 if self._next_copies else single(1 / np.maximum(1.0, t - self.t0))

    def update(self, p: Array, g: Array, average: Array, scratch: Array) -> None:
        np.multiply(p, self._kept, p)
        np.multiply(g, self._eta, scratch)
        np.subtract(p, scratch, p)

        if self._copies:
            np.copyto(average, p)
            return
        np.subtract(p, average, scratch)
        np.multiply(scratch, self._mu, scratch)
        np.add(average, scratch, average)
        copies = self._mu == 1
        if copies.any():
            np.copyto(average, p, where=copies)


def _rate(lr: float, base: float, alpha: float) -> float:
    """The real part of lr / base^alpha in Python's own numbers; NaN where torch raises an error."""
    rate = math.nan
    with suppress(ArithmeticError):
        rate = (lr / base**alpha).real
    return rate
