"""Adam: steps scaled by running means of the gradient and of its square.

    g = ∇f(p) + weight_decay · p                  (decoupled: p = (1 - lr · weight_decay) · p)
    m = m + (1 - β₁) · (g - m)
    v = β₂ · v + (1 - β₂) · g²
    p = p - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + eps)

Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015. amsgrad takes the largest v
so far: Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018. The decoupled
weight decay is AdamW: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, Lerp, MeanSquare, power, rounded
from stages.optim.bounds import Beta, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class Adam(ElementWise):
    """torch.optim.Adam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    amsgrad: divide by the largest mean square so far
    maximize: climb instead of descend
    decoupled_weight_decay: decay the parameters, not the gradient

    >>> parameters = np.array([1.2])
    >>> Adam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.1])
    """

    lr: NotNegative = 1e-3
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    amsgrad: bool = False
    _: KW_ONLY
    maximize: bool = False
    decoupled_weight_decay: bool = False

    state_names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    scratch_names = ("scratch", "denominator")

    def require(self, assigned: Mapping[str, Any]) -> None:
        if self.steps and assigned.get("amsgrad") and "max_exp_avg_sq" not in self.state:
            raise ValueError("amsgrad must be on from the first step, got True after it")

    def new_state(self, parameters: Array) -> dict[str, Array]:
        names = self.state_names if self.amsgrad else self.state_names[:2]
        return {name: np.zeros_like(parameters) for name in names}

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        beta1, beta2 = self._betas = self.betas
        self._amsgrad = self.amsgrad
        self._towards = Lerp(1 - beta1, parameters)
        self._mean_square = MeanSquare(beta2, parameters)
        self._eps = rounded(self.eps, parameters)

    def begin_step(self, parameters: Array) -> None:
        beta1, beta2 = self._betas
        self._step_size = rounded(self.lr / (1 - power(beta1, self.steps)), parameters)
        self._correction = rounded(power(1 - power(beta2, self.steps), 0.5), parameters)

    def update(
        self,
        p: Array,
        g: Array,
        m: Array,
        v: Array,
        largest_v: Any,  # None without amsgrad
        scratch: Array,
        denominator: Array,
    ) -> None:
        self._towards(m, g, scratch)
        self._mean_square(v, g, scratch)
        if self._amsgrad:
            v = np.maximum(largest_v, v, out=largest_v)

        np.sqrt(v, denominator)
        np.divide(denominator, self._correction, denominator)
        np.add(denominator, self._eps, denominator)
        np.multiply(m, self._step_size, scratch)
        np.divide(scratch, denominator, scratch)
        np.subtract(p, scratch, p)
