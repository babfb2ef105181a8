"""NAdam: Adam with Nesterov's momentum, which grows over the first steps.

    g = ∇f(p) + weight_decay · p                  (decoupled: p = (1 - lr · weight_decay) · p)
    m = m + (1 - β₁) · (g - m)
    v = β₂ · v + (1 - β₂) · g²
    μₜ = β₁ · (1 - ½ · 0.96^(t · momentum_decay))
    n = (1 - μₜ) / (1 - μ₁ ⋯ μₜ) · g + μₜ₊₁ / (1 - μ₁ ⋯ μₜ₊₁) · m
    p = p - lr · n / (√(v / (1 - β₂ᵗ)) + eps)

Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop. The decoupled weight decay:
Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, Lerp, MeanSquare, power, rounded, single
from stages.optim.bounds import Beta, Hyperparameter, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class NAdam(ElementWise):
    """torch.optim.NAdam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    momentum_decay: how fast μ grows from β₁ / 2 to β₁
    decoupled_weight_decay: decay the parameters, not the gradient
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> NAdam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.094355])
    """

    lr: NotNegative = 2e-3
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum_decay: NotNegative = 4e-3
    decoupled_weight_decay: bool = False
    _: KW_ONLY
    maximize: bool = False

    state_names = ("exp_avg", "exp_avg_sq")
    number_names = ("step", "mu_product")
    scratch_names = ("scratch", "denominator")

    def new_state(self, parameters: Array) -> dict[str, Array]:
        self._mu_product: Hyperparameter = 1.0
        return super().new_state(parameters)

    def numbers(self) -> dict[str, Any]:
        return super().numbers() | {"mu_product": self._mu_product}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None:
        super().take_numbers(loaded)
        self._mu_product = loaded["mu_product"].astype(np.float64)[()]

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        beta1, beta2 = self._betas = self.betas
        self._towards = Lerp(1 - beta1, parameters)
        self._mean_square = MeanSquare(beta2, parameters)
        self._eps = rounded(self.eps, parameters)

    def begin_step(self, parameters: Array) -> None:
        _, beta2 = self._betas
        self._correction = rounded(1 - power(beta2, self.steps), parameters)
        mu, mu_next = self._mu(self.steps), self._mu(self.steps + 1)
        self._mu_product = single(self._mu_product * single(mu))
        product, product_next = self._mu_product, self._mu_product * mu_next
        lr = self.lr
        self._step_size_of_g = rounded(lr * (1 - mu) / (1 - product), parameters)
        self._step_size_of_m = rounded(lr * mu_next / (1 - product_next), parameters)

    def _mu(self, step: int) -> Hyperparameter:
        beta1, _ = self._betas
        return beta1 * (1 - 0.5 * power(0.96, step * self.momentum_decay))

    def update(
        self, p: Array, g: Array, m: Array, v: Array, scratch: Array, denominator: Array
    ) -> None:
        self._towards(m, g, scratch)
        self._mean_square(v, g, scratch)

        np.divide(v, self._correction, denominator)
        np.sqrt(denominator, denominator)
        np.add(denominator, self._eps, denominator)
        for step_size, direction in ((self._step_size_of_g, g), (self._step_size_of_m, m)):
            np.multiply(direction, step_size, scratch)
            np.divide(scratch, denominator, scratch)
            np.subtract(p, scratch, p)
