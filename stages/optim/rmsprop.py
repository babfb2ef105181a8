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

from collections.abc import Mapping
from dataclasses import KW_ONLY
from itertools import compress
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, Lerp, MeanSquare, rounded, rows, some
from stages.optim.bounds import NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class RMSprop(ElementWise):
    """torch.optim.RMSprop in NumPy.

    lr: learning rate
    alpha: decay rate of the running means, usually below 1
    eps: added to the denominator
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    momentum: the share of the last update that is kept
    centered: divide by the standard deviation of the gradient, not its root mean square
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> RMSprop(lr=0.1, alpha=0.75)(parameters, np.array([2.0]))
    >>> parameters.round(6)
    array([1.])
    """

    lr: NotNegative = 1e-2
    alpha: NotNegative = 0.99
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum: NotNegative = 0.0
    centered: bool = False
    _: KW_ONLY
    maximize: bool = False

    state_names = ("square_avg", "grad_avg", "momentum_buffer")
    scratch_names = ("scratch", "denominator")

    def require(self, assigned: Mapping[str, Any]) -> None:
        if self.steps and assigned.get("centered") and "grad_avg" not in self.state:
            raise ValueError("centered must be on from the first step, got True after it")
        momentum = assigned.get("momentum", 0.0)
        if self.steps and some((momentum != 0) & (self._has_buffer ^ True)):
            raise ValueError(
                "momentum cannot begin after the first step, "
                f"got {momentum} in place of {self.momentum}"
            )

    def new_state(self, parameters: Array) -> dict[str, Array]:
        self._has_buffer = self.momentum != 0  # of all runs, or of each
        used = True, self.centered, some(self._has_buffer)
        names = compress(self.state_names, used)
        return {name: np.zeros_like(parameters) for name in names}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None:
        super().take_numbers(loaded)
        if "momentum_buffer" in loaded and not isinstance(self.momentum, np.ndarray):
            self._has_buffer = True  # even if it pauses now

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._lr, self._eps = rounded(self.lr, parameters), rounded(self.eps, parameters)
        self._mean_square = MeanSquare(self.alpha, parameters)
        self._towards = Lerp(1 - self.alpha, parameters)
        self._momentum = rounded(self.momentum, parameters)
        rests = self.momentum == 0
        self._has_momentum, self._all_have_momentum = some(rests ^ True), not some(rests)
        self._pauses = rows(rests & self._has_buffer)
        self._accelerates = self._all_have_momentum or self._momentum > 0

    def update(
        self,
        p: Array,
        g: Array,
        v: Array,
        m: Any,  # None unless centered
        buffer: Any,  # None without momentum
        scratch: Array,
        denominator: Array,
    ) -> None:
        self._mean_square(v, g, scratch)
        if self.centered:
            self._towards(m, g, scratch)
            np.multiply(m, m, scratch)
            v = np.subtract(v, scratch, denominator)
        np.sqrt(v, denominator)
        np.add(denominator, self._eps, denominator)

        if self._has_momentum:
            kept = None if self._pauses is None else buffer[self._pauses]
            np.multiply(buffer, self._momentum, buffer)
            np.divide(g, denominator, scratch)
            np.add(buffer, scratch, buffer)
        if not self._all_have_momentum:
            np.multiply(g, self._lr, scratch)  # before the division, as torch
            np.divide(scratch, denominator, scratch)
        if self._has_momentum:
            np.multiply(buffer, self._lr, scratch, where=self._accelerates)
            if kept is not None:
                buffer[self._pauses] = kept
        np.subtract(p, scratch, p)
