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

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from stages.optim.arithmetic import Array, rounded
from stages.optim.bounds import Hyperparameter, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class Rprop(ElementWise):
    """torch.optim.Rprop in NumPy.

    lr: the first step size of all parameters
    etas: factors of the step size where the sign of the gradient changes, and where it stays
    step_sizes: the smallest and the largest step size
    maximize: climb instead of descend

    >>> parameters = np.array([1.25, 1.25])
    >>> Rprop(lr=0.25)(parameters, np.array([2.0, -0.5]))
    >>> parameters
    array([1. , 1.5])
    """

    lr: NotNegative = 1e-2
    etas: tuple[
        Annotated[Hyperparameter, Gt(0), Lt(1)],
        Annotated[Hyperparameter, Gt(1)],
    ] = (0.5, 1.2)
    step_sizes: tuple[Hyperparameter, Hyperparameter] = (1e-6, 50.0)
    _: KW_ONLY
    maximize: bool = False

    state_names = ("prev", "step_size")

    def require(self, assigned: Mapping[str, Any]) -> None:
        if self.steps and "lr" in assigned:
            raise ValueError("lr cannot change after the first step: it is where step sizes began")

    def new_state(self, parameters: Array) -> dict[str, Array]:
        step_size = np.full_like(parameters, rounded(self.lr, parameters))
        return {"prev": np.zeros_like(parameters), "step_size": step_size}

    def new_scratch(self, part: Array) -> list[Array]:
        masks = [np.empty_like(part, bool) for _ in range(2)]
        return [np.empty_like(part), np.empty_like(part), *masks]

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._shrink, self._grow = (rounded(eta, parameters) for eta in self.etas)
        self._smallest, self._largest = (rounded(size, parameters) for size in self.step_sizes)

    def update(
        self,
        p: Array,
        g: Array,
        before: Array,
        step: Array,
        factor: Array,
        scratch: Array,
        mask: Array,
        other_mask: Array,
    ) -> None:
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
        below = np.less(before, 0, other_mask).view(np.int8)
        sign = np.subtract(above, below, above)
        np.multiply(step, sign, scratch)
        np.subtract(p, scratch, p)


def keep(values: Array, mask: NDArray[np.bool_], out: Array) -> None:
    """Writes the values where the mask holds, and 0 elsewhere.

    As a product, since a choice for each value (`where=`) takes twenty times as long; and of their
    bits, since 0 · ∞ would be NaN.
    """
    bits = f"i{out.itemsize}"
    np.multiply(values.view(bits), mask, out.view(bits))
