"""Adamax: Adam with the largest gradient, slowly forgotten, in place of the mean square.

    g = ∇f(p) + weight_decay · p
    m = m + (1 - β₁) · (g - m)
    u = max(β₂ · u, |g| + eps)
    p = p - lr / (1 - β₁ᵗ) · m / u

Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    Lerp,
    in_chunks,
    power,
    require_betas,
    require_not_negative,
    rounded,
    workspace,
)


class Adamax:
    """torch.optim.Adamax in NumPy.

    lr: learning rate
    betas: decay rates of the running mean of the gradient and of its largest size, in [0, 1)
    eps: added to the size of each gradient
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for betas out of their range and for any other number below 0.

    >>> parameters = np.array([1.2])
    >>> Adamax(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    def __init__(
        self,
        lr: Hyperparameter = 2e-3,
        betas: tuple[Hyperparameter, Hyperparameter] = (0.9, 0.999),
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        require_betas(betas)
        self.lr, (self.beta1, self.beta2), self.eps = lr, betas, eps
        self.weight_decay, self.maximize = weight_decay, maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        m, u, scratch = self._m, self._u, self._scratch

        self._towards(m, g, scratch)
        np.multiply(u, self._beta2, u)
        np.absolute(g, scratch)
        np.add(scratch, self._eps, scratch)
        np.maximum(u, scratch, out=u)

        correction = 1 - power(self.beta1, self.steps)
        np.multiply(m, rounded(self.lr / correction, m), scratch)
        np.divide(scratch, u, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._towards = Lerp(1 - self.beta1, parameters)
        self._beta2 = rounded(self.beta2, parameters)
        self._eps = rounded(self.eps, parameters)
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._m, self._u = np.zeros_like(parameters), np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
