"""RMSprop: steps divided by the root of a running mean of the squared gradients.

    g = ∇f(p) + weight_decay · p
    v = α · v + (1 - α) · g²
    d = √v + eps                                  (centered: d = √(v - m²) + eps,
                                                             m = m + (1 - α) · (g - m))
    p = p - lr · g / d                            (momentum: b = momentum · b + g / d,
                                                             p = p - lr · b)

Tieleman and Hinton, "Lecture 6.5: divide the gradient by a running average of its recent
magnitude", Coursera 2012. centered divides by the standard deviation: Graves, "Generating
sequences with recurrent neural networks", 2013. eps is outside the root, as in torch.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    Lerp,
    MeanSquare,
    in_chunks,
    require_not_negative,
    rounded,
    workspace,
)


class RMSprop:
    """torch.optim.RMSprop in NumPy.

    lr: learning rate
    alpha: decay rate of the running means, in [0, 1]
    eps: added to the denominator
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    momentum: the share of the last update that is kept
    centered: divide by the standard deviation of the gradient, not its root mean square
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for a number below 0.

    >>> parameters = np.array([1.2])
    >>> RMSprop(lr=0.1, alpha=0.75)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-2,
        alpha: Hyperparameter = 0.99,
        eps: Hyperparameter = 1e-8,
        weight_decay: Hyperparameter = 0.0,
        momentum: Hyperparameter = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(
            lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum
        )
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.weight_decay, self.momentum = weight_decay, momentum
        self.centered, self.maximize = centered, maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        scratch, denominator = self._scratch, self._denominator

        v = self._square_average
        self._mean_square(v, g, scratch)
        if self.centered:
            self._towards(self._average, g, scratch)
            np.multiply(self._average, self._average, scratch)
            v = np.subtract(v, scratch, denominator)
        np.sqrt(v, denominator)
        np.add(denominator, self._eps, denominator)

        if self._has_momentum:
            buffer = np.multiply(self._buffer, self._momentum, self._buffer)
            np.divide(g, denominator, scratch)
            np.add(buffer, scratch, buffer)
        if not self._all_have_momentum:
            np.multiply(g, self._lr, scratch)  # before the division, as torch
            np.divide(scratch, denominator, scratch)
        if self._has_momentum:
            np.multiply(buffer, self._lr, scratch, where=self._accelerates)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._lr, self._eps = rounded(self.lr, parameters), rounded(self.eps, parameters)
        self._mean_square = MeanSquare(self.alpha, parameters)
        self._towards = Lerp(1 - self.alpha, parameters)
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._momentum = rounded(self.momentum, parameters)
        self._has_momentum = np.any(self.momentum)
        self._all_have_momentum = np.all(self.momentum)
        self._accelerates = self._all_have_momentum or self._momentum > 0
        self._square_average, self._average = np.zeros_like(parameters), np.zeros_like(parameters)
        self._buffer = np.zeros_like(parameters)
        self._scratch = workspace(parameters, 0)
        self._denominator = workspace(parameters, 2)
