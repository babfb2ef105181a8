"""Rprop: each parameter has a step size of its own, and only the sign of its gradient counts.

    g = ∇f(p)
    s = η⁺ · s  where g · (g before) > 0,    η⁻ · s  where it is < 0      (s = lr at the start)
    s = s within step_sizes
    g = 0  where the sign has changed, so that the next step there keeps its size
    p = p - sign(g) · s

Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP
algorithm", ICNN 1993, without taking back the step that overshot (iRprop⁻: Igel and Hüsken,
"Improving the Rprop learning algorithm", NC 2000).
"""

import numpy as np
from numpy.typing import NDArray

from stages.optim.arithmetic import (
    Array,
    Hyperparameter,
    in_chunks,
    require,
    require_not_negative,
    rounded,
    workspace,
)


class Rprop:
    """torch.optim.Rprop in NumPy.

    lr: the first step size of all parameters
    etas: factors of the step size where the sign of the gradient changes, and where it stays
    step_sizes: the smallest and the largest step size
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for lr below 0, and unless 0 < etas[0] < 1 < etas[1].

    >>> parameters = np.array([1.25, 1.25])
    >>> Rprop(lr=0.25)(parameters, np.array([2.0, -0.5]))
    >>> parameters
    array([1. , 1.5])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-2,
        etas: tuple[Hyperparameter, Hyperparameter] = (0.5, 1.2),
        step_sizes: tuple[Hyperparameter, Hyperparameter] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr)
        shrink, grow = etas
        require(np.greater(shrink, 0) & np.less(shrink, 1), "etas[0]", shrink, "in (0, 1)")
        require(grow > 1, "etas[1]", grow, "above 1")
        self.lr, self.etas, self.step_sizes, self.maximize = lr, etas, step_sizes, maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g, before, step = gradients, self._before, self._step
        factor, scratch, mask = self._factor, self._scratch, self._mask
        if self.maximize:
            g = np.negative(g, self._gradient)

        # η⁻ < 1 < η⁺, so that a factor is the largest of those that apply; True counts as 1
        agreement = np.multiply(g, before, scratch)
        np.logical_not(np.less(agreement, 0, mask), mask)  # True for NaN, too
        np.maximum(mask, self._shrink, out=factor)
        keep(self._grow, np.greater(agreement, 0, mask), scratch)
        np.maximum(factor, scratch, out=factor)
        np.multiply(step, factor, step)
        np.maximum(step, self._smallest, out=step)
        np.minimum(step, self._largest, out=step)

        np.copyto(before, g)
        # not by agreement: if η⁻ rounds to 1, torch stops where the sign is the same, too
        keep(before, np.not_equal(factor, self._shrink, mask), before)
        # not by np.sign(before), which is NaN for NaN where torch takes 0
        above = np.greater(before, 0, mask).view(np.int8)
        below = np.less(before, 0, self._other_mask).view(np.int8)
        sign = np.subtract(above, below, above)
        np.multiply(step, sign, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._shrink, self._grow = (rounded(eta, parameters) for eta in self.etas)
        self._smallest, self._largest = (rounded(size, parameters) for size in self.step_sizes)
        self._before, self._step = np.zeros_like(parameters), np.zeros_like(parameters)
        self._step += rounded(self.lr, parameters)
        self._factor, self._mask = workspace(parameters, 0), workspace(parameters, 1, bool)
        self._scratch, self._gradient = workspace(parameters, 2), workspace(parameters, 3)
        self._other_mask = workspace(parameters, 4, bool)


def keep(values: Array, mask: NDArray[np.bool_], out: Array) -> None:
    """Writes the values where the mask holds, and 0 elsewhere.

    As a product, since a choice for each value (`where=`) takes twenty times as long; and of their
    bits, since 0 · ∞ would be NaN.
    """
    bits = f"i{out.itemsize}"
    np.multiply(values.view(bits), mask, out.view(bits))
