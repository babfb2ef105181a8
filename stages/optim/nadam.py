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
    single,
    workspace,
)


class NAdam:
    """torch.optim.NAdam in NumPy.

    lr: learning rate
    betas: decay rates of the running means of the gradient and of its square, in [0, 1)
    eps: added to the denominator
    weight_decay: factor of the L2 penalty, or of the decay of the parameters themselves
    momentum_decay: how fast μ grows from β₁ / 2 to β₁
    decoupled_weight_decay: decay the parameters, not the gradient
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for betas out of their range and for any other number below 0.

    >>> parameters = np.array([1.2])
    >>> NAdam(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.094355])
    """

    def __init__(
        self,
        lr: Hyperparameter = 2e-3,
        betas: tuple[Hyperparameter, Hyperparameter] = (0.9, 0.999),
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.0,
        momentum_decay: Hyperparameter = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(
            lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay
        )
        require_betas(betas)
        self.lr, (self.beta1, self.beta2), self.eps = lr, betas, eps
        self.weight_decay, self.momentum_decay = weight_decay, momentum_decay
        self.decoupled_weight_decay, self.maximize = decoupled_weight_decay, maximize
        self.steps = 0
        self._mu_product: Hyperparameter = 1.0

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

        correction = 1 - power(self.beta2, self.steps)
        denominator = np.divide(v, rounded(correction, v), self._denominator)
        np.sqrt(denominator, denominator)
        np.add(denominator, self._eps, denominator)
        for step_size, direction in zip(self._step_sizes(), (g, m), strict=True):
            np.multiply(direction, rounded(step_size, m), scratch)
            np.divide(scratch, denominator, scratch)
            np.subtract(parameters, scratch, parameters)

    def _step_sizes(self) -> tuple[Hyperparameter, Hyperparameter]:
        """The factors of the gradient and of its mean."""
        mu, mu_next = self._mu(self.steps), self._mu(self.steps + 1)
        self._mu_product = single(self._mu_product * single(mu))
        product, product_next = self._mu_product, self._mu_product * mu_next
        return self.lr * (1 - mu) / (1 - product), self.lr * mu_next / (1 - product_next)

    def _mu(self, step: int) -> Hyperparameter:
        return self.beta1 * (1 - 0.5 * power(0.96, step * self.momentum_decay))

    def _start(self, parameters: Array) -> None:
        self._towards = Lerp(1 - self.beta1, parameters)
        self._mean_square = MeanSquare(self.beta2, parameters)
        self._eps = rounded(self.eps, parameters)
        decoupled_lr = self.lr if self.decoupled_weight_decay else None
        self._direction = Direction(parameters, self.weight_decay, self.maximize, decoupled_lr)
        self._m, self._v = np.zeros_like(parameters), np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
        self._denominator = workspace(parameters, 2)
