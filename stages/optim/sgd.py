"""Stochastic gradient descent, with momentum.

    g = ∇f(p) + weight_decay · p
    b = momentum · b + (1 - dampening) · g        (b = g at the first step)
    p = p - lr · b                                (nesterov: p = p - lr · (g + momentum · b))

Nesterov's momentum in the form of Sutskever, Martens, Dahl and Hinton, "On the importance of
initialization and momentum in deep learning", ICML 2013; lr multiplies after the momentum.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from stages.optim.arithmetic import Array, Runs, rounded, rows, some
from stages.optim.bounds import Hyperparameter, NotNegative, hyperparameters
from stages.optim.elementwise import ElementWise


@hyperparameters
class SGD(ElementWise):
    """torch.optim.SGD in NumPy.

    lr: learning rate
    momentum: the share of the last update that is kept
    dampening: the share of the gradient that is kept out of the momentum, after the first step
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    nesterov: take the gradient's step from where the momentum leads; needs momentum and no
        dampening
    maximize: climb instead of descend

    >>> parameters = np.array([1.2])
    >>> SGD(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters
    array([1.])
    """

    lr: NotNegative = 1e-3
    momentum: NotNegative = 0.0
    dampening: Hyperparameter = 0.0
    weight_decay: NotNegative = 0.0
    nesterov: bool = False
    _: KW_ONLY
    maximize: bool = False

    state_names = ("momentum_buffer",)
    number_names = ()
    optional_names = ("has_momentum_buffer",)  # (runs,), where only some have one

    def require(self, assigned: Mapping[str, Any]) -> None:
        values = {**self.values(), **assigned}
        momentum, dampening = values["momentum"], values["dampening"]
        if values["nesterov"] and (some(momentum == 0) or some(dampening != 0)):
            raise ValueError(
                "nesterov needs momentum greater than 0 and dampening 0, "
                f"got momentum {momentum} and dampening {dampening}"
            )

    def new_state(self, parameters: Array) -> dict[str, Array]:
        self._has_buffer: Runs = False  # from its first step with momentum on
        return super().new_state(parameters)

    def numbers(self) -> dict[str, Any]:
        has = self._has_buffer
        mixed = isinstance(has, np.ndarray) and not has.all()
        return {"has_momentum_buffer": has} if mixed else {}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None:
        self._has_buffer = loaded["has_momentum_buffer"] != 0 if len(loaded) > 1 else True

    def state_dict(self) -> dict[str, Array]:
        """As of all optimizers, but empty as long as there is no momentum."""
        begun = self._parameters is not None
        return {} if begun and not some(self._has_buffer) else super().state_dict()

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._lr, self._momentum = rounded(self.lr, parameters), rounded(self.momentum, parameters)
        self._undampened = rounded(1 - self.dampening, parameters)

        moves, rests = self.momentum != 0, self.momentum == 0
        begins = moves & (self._has_buffer ^ True)
        self._has_momentum = some(moves)
        self._follows = rows(rests | begins)  # their update is the gradient itself
        self._pauses = rows(rests & self._has_buffer) if self._has_momentum else None
        self._has_buffer = self._has_buffer | moves
        self.changed = some(begins)  # from the next step on these have a buffer

    def update(self, p: Array, g: Array, buffer: Array, scratch: Array) -> None:
        if not self._has_momentum:
            np.multiply(g, self._lr, scratch)
            np.subtract(p, scratch, p)
            return
        kept = None if self._pauses is None else buffer[self._pauses]
        np.multiply(buffer, self._momentum, buffer)
        np.multiply(g, self._undampened, scratch)
        np.add(buffer, scratch, buffer)
        if self._follows is not None:
            buffer[self._follows] = g[self._follows]
        if self.nesterov:
            np.multiply(buffer, self._momentum, scratch)
            g = np.add(g, scratch, scratch)
        else:
            g = buffer
        np.multiply(g, self._lr, scratch)
        np.subtract(p, scratch, p)
        if kept is not None:
            buffer[self._pauses] = kept
