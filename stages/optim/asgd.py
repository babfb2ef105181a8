"""ASGD: stochastic gradient descent with a falling rate, and an average of its way.

    g = ∇f(p) + weight_decay · p
    p = (1 - lambd · η) · p - η · g
    a = a + μ · (p - a)
    η = lr / (1 + lambd · lr · t)^alpha           (for the next step; lr at the first)
    μ = 1 / max(1, t - t0)                        (for the next step; 1 at the first)

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on
Control and Optimization 1992. t counts the steps from 1. Up to step t0 + 2 the average a is p
itself, from there on it is the mean of all p. η and μ are rounded to single precision, as torch
keeps them.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    in_chunks,
    power,
    require_not_negative,
    rounded,
    single,
    workspace,
)


class ASGD:
    """torch.optim.ASGD in NumPy.

    lr: learning rate of the first step
    lambd: decay of the parameters, and of the learning rate
    alpha: power with which the learning rate falls
    t0: averaging begins two steps after this one
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    After a step `average` is the averaged parameters, torch's state "ax".
    Raises ValueError for lr or weight_decay below 0.

    >>> parameters, optimizer = np.array([2.0]), ASGD(lr=0.25, lambd=0.0, t0=0)
    >>> for gradient in (4.0, 2.0, 2.0):
    ...     optimizer(parameters, np.array([gradient]))
    >>> parameters, optimizer.average
    (array([0.]), array([0.25]))
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-2,
        lambd: Hyperparameter = 1e-4,
        alpha: Hyperparameter = 0.75,
        t0: Hyperparameter = 1e6,
        weight_decay: Hyperparameter = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr, weight_decay=weight_decay)
        self.lr, self.lambd, self.alpha, self.t0 = lr, lambd, alpha, t0
        self.weight_decay, self.maximize = weight_decay, maximize
        self.steps = 0
        self.chunks: list[tuple[slice, ASGD]] = []

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        scratch = self._scratch

        np.multiply(parameters, rounded(1 - self.lambd * self._eta, parameters), parameters)
        np.multiply(g, rounded(self._eta, g), scratch)
        np.subtract(parameters, scratch, parameters)

        if self.steps <= self._copies:
            np.copyto(self._average, parameters)
        else:
            self._continue_average(parameters)

        self._set_rate_of_next_step()

    @property
    def average(self) -> Array:
        """The averaged parameters, in their shape."""
        if not self.chunks:
            return self._average
        return np.concatenate([chunk.average for _, chunk in self.chunks], axis=-1)

    def _start(self, parameters: Array) -> None:
        self._eta = single(self.lr)
        self._copies = max(1, np.min(self.t0) + 2)  # in so many steps the averages are copies
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._average = np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)

    def _continue_average(self, parameters: Array) -> None:
        average, scratch = self._average, self._scratch
        mu = rounded(single(1 / np.maximum(1.0, self.steps - 1 - self.t0)), parameters)
        np.subtract(parameters, average, scratch)
        np.multiply(scratch, mu, scratch)
        np.add(average, scratch, average)
        copies = mu == 1
        if copies.any():
            np.copyto(average, parameters, where=copies)

    def _set_rate_of_next_step(self) -> None:
        self._eta = single(self.lr / power(1 + self.lambd * self.lr * self.steps, self.alpha))
