"""RAdam: Adam without its square root until that root is known well enough, and then rectified.

    g = ∇f(p) + weight_decay · p                  (decoupled: p = (1 - lr · weight_decay) · p)
    m = m + (1 - β₁) · (g - m)
    v = β₂ · v + (1 - β₂) · g²
    ρ = ρ∞ - 2 · t · β₂ᵗ / (1 - β₂ᵗ)              where ρ∞ = 2 / (1 - β₂) - 1
    r = √((ρ - 4) · (ρ - 2) · ρ∞ / ((ρ∞ - 4) · (ρ∞ - 2) · ρ))
    p = p - lr / (1 - β₁ᵗ) · m · r · √(1 - β₂ᵗ) / (√v + eps)          if ρ > 5
    p = p - lr / (1 - β₁ᵗ) · m                                        otherwise

Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020. The decoupled
weight decay: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

import math
from dataclasses import KW_ONLY

import numpy as np

from stages.optim.arithmetic import Array, Lerp, MeanSquare, each, power, rounded
from stages.optim.bounds import Beta, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class RAdam(ElementWise):
    """torch.optim.RAdam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    decoupled_weight_decay: decay the parameters, not the gradient
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> RAdam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.])
    """

    lr: NotNegative = 1e-3
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    decoupled_weight_decay: bool = False
    _: KW_ONLY
    maximize: bool = False

    state_names = ("exp_avg", "exp_avg_sq")
    scratch_names = ("scratch", "factor")

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        beta1, beta2 = self.betas
        self._towards = Lerp(1 - beta1, parameters)
        self._mean_square = MeanSquare(beta2, parameters)
        self._lr, self._eps = rounded(self.lr, parameters), rounded(self.eps, parameters)

    def begin_step(self, parameters: Array) -> None:
        beta1, beta2 = self.betas
        self._correction1 = rounded(1 - power(beta1, self.steps), parameters)
        self._correction2 = rounded(power(1 - power(beta2, self.steps), 0.5), parameters)
        self._rectification = rounded(each(self._r, beta2), parameters)
        self._rectified = self._rectification > 0
        self._some_rectified = self._rectified.any()

    def _r(self, beta2: float) -> float:
        """The factor r at this step, 0 where there is none."""
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
        if not rho > 5:
            return 0.0
        squared = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
        return math.pow(squared, 0.5)

    def update(self, p: Array, g: Array, m: Array, v: Array, scratch: Array, factor: Array) -> None:
        self._towards(m, g, scratch)
        self._mean_square(v, g, scratch)

        np.divide(m, self._correction1, scratch)
        np.multiply(scratch, self._lr, scratch)
        if self._some_rectified:
            np.sqrt(v, factor)
            np.add(factor, self._eps, factor)
            np.reciprocal(factor, factor)
            np.multiply(factor, self._correction2, factor)
            np.multiply(scratch, factor, scratch, where=self._rectified)
            np.multiply(scratch, self._rectification, scratch, where=self._rectified)
        np.subtract(p, scratch, p)
