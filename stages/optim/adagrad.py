"""Adagrad: steps divided by the root of the sum of all squared gradients.

    g = ∇f(p) + weight_decay · p
    s = s + g²                                    (s = initial_accumulator_value before)
    p = p - lr / (1 + (t - 1) · lr_decay) · g / (√s + eps)

Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
optimization", JMLR 2011. t counts the steps from 1.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    in_chunks,
    require_not_negative,
    rounded,
    workspace,
)


class Adagrad:
    """torch.optim.Adagrad in NumPy.

    lr: learning rate
    lr_decay: how fast the learning rate falls with the number of steps
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    initial_accumulator_value: the sum of squares before the first step
    eps: added to the denominator
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for a number below 0.

    >>> parameters = np.array([1.2])
    >>> Adagrad(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-2,
        lr_decay: Hyperparameter = 0.0,
        weight_decay: Hyperparameter = 0.0,
        initial_accumulator_value: Hyperparameter = 0.0,
        eps: Hyperparameter = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        self.lr, self.lr_decay, self.weight_decay = lr, lr_decay, weight_decay
        self.initial_accumulator_value, self.eps = initial_accumulator_value, eps
        self.maximize = maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        s, scratch, denominator = self._sum, self._scratch, self._denominator

        np.multiply(g, g, scratch)
        np.add(s, scratch, s)
        np.sqrt(s, denominator)
        np.add(denominator, self._eps, denominator)
        lr = self.lr / (1 + (self.steps - 1) * self.lr_decay)
        np.multiply(g, rounded(lr, g), scratch)
        np.divide(scratch, denominator, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._eps = rounded(self.eps, parameters)
        self._sum = np.zeros_like(parameters)
        self._sum += rounded(self.initial_accumulator_value, parameters)
        self._scratch = workspace(parameters, 0)
        self._denominator = workspace(parameters, 2)
