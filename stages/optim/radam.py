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

import numpy as np
from numpy.typing import NDArray

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    Lerp,
    MeanSquare,
    each,
    in_chunks,
    power,
    require_betas,
    require_not_negative,
    rounded,
    workspace,
)


class RAdam:
    """torch.optim.RAdam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square, in [0, 1)
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    decoupled_weight_decay: decay the parameters, not the gradient
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for betas out of their range and for any other number below 0.

    >>> parameters = np.array([1.2])
    >>> RAdam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-3,
        betas: tuple[Hyperparameter, Hyperparameter] = (0.9, 0.999),
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        require_betas(betas)
        self.lr, (self.beta1, self.beta2), self.eps = lr, betas, eps
        self.weight_decay, self.maximize = weight_decay, maximize
        self.decoupled_weight_decay = decoupled_weight_decay
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        m, v, scratch = self._m, self._v, self._scratch

        self._towards(m, g, scratch)
        self._mean_square(v, g, scratch)

        np.divide(m, rounded(1 - power(self.beta1, self.steps), m), scratch)
        np.multiply(scratch, self._lr, scratch)
        rectification = rounded(each(self._rectification, self.beta2), m)
        rectified = rectification > 0
        if rectified.any():
            self._adapt(scratch, rectification, rectified)
        np.subtract(parameters, scratch, parameters)

    def _adapt(self, update: Array, rectification: Array, rectified: NDArray[np.bool_]) -> None:
        """Divides the update by the root of the mean square, in the runs that are rectified."""
        correction = power(1 - power(self.beta2, self.steps), 0.5)
        factor = np.sqrt(self._v, self._factor)
        np.add(factor, self._eps, factor)
        np.reciprocal(factor, factor)
        np.multiply(factor, rounded(correction, factor), factor)
        np.multiply(update, factor, update, where=rectified)
        np.multiply(update, rectification, update, where=rectified)

    def _rectification(self, beta2: float) -> float:
        """The factor r at this step, 0 where there is none."""
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
        if not rho > 5:
            return 0.0
        squared = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
        return math.pow(squared, 0.5)

    def _start(self, parameters: Array) -> None:
        self._towards = Lerp(1 - self.beta1, parameters)
        self._lr = rounded(self.lr, parameters)
        self._mean_square = MeanSquare(self.beta2, parameters)
        self._eps = rounded(self.eps, parameters)
        decoupled_lr = self.lr if self.decoupled_weight_decay else None
        self._direction = Direction(parameters, self.weight_decay, self.maximize, decoupled_lr)
        self._m, self._v = np.zeros_like(parameters), np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
        self._factor = workspace(parameters, 2)
