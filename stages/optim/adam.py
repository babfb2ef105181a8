"""Adam: steps scaled by running means of the gradient and of its square.

    g = ∇f(p) + weight_decay · p                  (decoupled: p = (1 - lr · weight_decay) · p)
    m = m + (1 - β₁) · (g - m)
    v = β₂ · v + (1 - β₂) · g²
    p = p - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + eps)

Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. amsgrad takes the largest v
so far: Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018. The decoupled
weight decay is AdamW: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    Lerp,
    MeanSquare,
    in_chunks,
    power,
    require_betas,
    require_not_negative,
    rounded,
    workspace,
)


class Adam:
    """torch.optim.Adam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square, in [0, 1)
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    amsgrad: divide by the largest mean square so far
    maximize: climb instead of descend
    decoupled_weight_decay: decay the parameters, not the gradient

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for betas out of their range and for any other number below 0.

    >>> parameters = np.array([1.2])
    >>> Adam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-3,
        betas: tuple[Hyperparameter, Hyperparameter] = (0.9, 0.999),
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        require_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        require_betas(betas)
        self.lr, (self.beta1, self.beta2), self.eps = lr, betas, eps
        self.weight_decay, self.amsgrad, self.maximize = weight_decay, amsgrad, maximize
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
        if self.amsgrad:
            v = np.maximum(self._largest_v, v, out=self._largest_v)

        correction1 = 1 - power(self.beta1, self.steps)
        correction2 = power(1 - power(self.beta2, self.steps), 0.5)
        denominator = np.sqrt(v, self._denominator)
        np.divide(denominator, rounded(correction2, v), denominator)
        np.add(denominator, self._eps, denominator)
        np.multiply(m, rounded(self.lr / correction1, m), scratch)
        np.divide(scratch, denominator, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._towards = Lerp(1 - self.beta1, parameters)
        self._mean_square = MeanSquare(self.beta2, parameters)
        self._eps = rounded(self.eps, parameters)
        decoupled_lr = self.lr if self.decoupled_weight_decay else None
        self._direction = Direction(parameters, self.weight_decay, self.maximize, decoupled_lr)
        self._m, self._v = np.zeros_like(parameters), np.zeros_like(parameters)
        self._largest_v = np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
        self._denominator = workspace(parameters, 2)
