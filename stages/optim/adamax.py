"""Adamax: Adam with the largest gradient, slowly forgotten, in place of the mean square.

    g = ∇f(p) + weight_decay · p
    m = m + (1 - β₁) · (g - m)
    u = max(β₂ · u, |g| + eps)
    p = p - lr / (1 - β₁ᵗ) · m / u

Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1.
"""

from dataclasses import KW_ONLY

import numpy as np

from stages.optim.arithmetic import Array, Lerp, power, rounded
from stages.optim.bounds import Beta, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class Adamax(ElementWise):
    """torch.optim.Adamax in NumPy.

    lr: learning rate
    betas: decay rates of the running mean of the gradient and of its largest size
    eps: added to the size of each gradient
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> Adamax(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    lr: NotNegative = 2e-3
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    _: KW_ONLY
    maximize: bool = False

    state_names = ("exp_avg", "exp_inf")

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        beta1, beta2 = self.betas
        self._towards = Lerp(1 - beta1, parameters)
        self._beta2, self._eps = rounded(beta2, parameters), rounded(self.eps, parameters)

    def begin_step(self, parameters: Array) -> None:
        beta1, _ = self.betas
        self._step_size = rounded(self.lr / (1 - power(beta1, self.steps)), parameters)

    def update(self, p: Array, g: Array, m: Array, u: Array, scratch: Array) -> None:
        self._towards(m, g, scratch)
        np.multiply(u, self._beta2, u)
        np.absolute(g, scratch)
        np.add(scratch, self._eps, scratch)
        np.maximum(u, scratch, out=u)

        np.multiply(m, self._step_size, scratch)
        np.divide(scratch, u, scratch)
        np.subtract(p, scratch, p)
