"""Adadelta: steps in the units of the parameters, with no learning rate to choose.

    g = ∇f(p) + weight_decay · p
    v = ρ · v + (1 - ρ) · g²
    d = √(u + eps) / √(v + eps) · g
    u = ρ · u + (1 - ρ) · d²
    p = p - lr · d

Zeiler, "ADADELTA: an adaptive learning rate method", 2012, where lr is 1. The numerator is the
root mean square of the steps before this one: u still lacks d.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    MeanSquare,
    in_chunks,
    require,
    require_not_negative,
    rounded,
    workspace,
)


class Adadelta:
    """torch.optim.Adadelta in NumPy.

    lr: factor of each step
    rho: decay rate of the running means of the squares of gradient and step, in [0, 1]
    eps: added to both mean squares, under the root; the first steps are of its size
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for a number below 0 and for rho above 1.

    >>> parameters = np.array([1.2])
    >>> Adadelta(rho=0.75, eps=1e-2)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.000993])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1.0,
        rho: Hyperparameter = 0.9,
        eps: Hyperparameter = 1e-6,
        weight_decay: Hyperparameter = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        require(rho <= 1, "rho", rho, "at most 1")
        self.lr, self.rho, self.eps = lr, rho, eps
        self.weight_decay, self.maximize = weight_decay, maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        scratch, step = self._scratch, self._step

        self._mean_square(self._square_average, g, scratch)
        np.add(self._square_average, self._eps, scratch)
        np.sqrt(scratch, scratch)
        np.add(self._step_average, self._eps, step)
        np.sqrt(step, step)
        np.divide(step, scratch, step)
        np.multiply(step, g, step)
        self._mean_square(self._step_average, step, scratch)
        np.multiply(step, self._lr, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._lr, self._eps = rounded(self.lr, parameters), rounded(self.eps, parameters)
        self._mean_square = MeanSquare(self.rho, parameters)
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._square_average = np.zeros_like(parameters)
        self._step_average = np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
        self._step = workspace(parameters, 2)
