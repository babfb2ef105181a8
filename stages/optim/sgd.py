"""Stochastic gradient descent, with momentum.

    g = ∇f(p) + weight_decay · p
    b = momentum · b + (1 - dampening) · g        (b = g at the first step)
    p = p - lr · b                                (nesterov: p = p - lr · (g + momentum · b))

Nesterov's momentum in the form of Sutskever, Martens, Dahl and Hinton, "On the importance of
initialization and momentum in deep learning", ICML 2013; lr multiplies after the momentum.
"""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from stages.optim.arithmetic import Array, rounded
from stages.optim.bounds import Hyperparameter, NotNegative
from stages.optim.elementwise import ElementWise


@dataclass(eq=False)
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and (not np.all(self.momentum) or np.any(self.dampening)):
            raise ValueError(
                "nesterov needs momentum greater than 0 and dampening 0, "
                f"got momentum {self.momentum} and dampening {self.dampening}"
            )

    def start(self, parameters: Array) -> None:
        super().start(parameters)
        self._lr, self._momentum = rounded(self.lr, parameters), rounded(self.momentum, parameters)
        # a run without momentum takes its whole gradient, whatever the others do
        undampened = np.where(np.equal(self.momentum, 0), 1.0, 1 - self.dampening)
        self._undampened = rounded(undampened, parameters)
        self._has_momentum = np.any(self.momentum)

    def update(self, p: Array, g: Array, buffer: Array, scratch: Array) -> None:
        if self._has_momentum:
            if self.steps == 1:
                np.copyto(buffer, g)
            else:
                np.multiply(buffer, self._momentum, buffer)
                np.multiply(g, self._undampened, scratch)
                np.add(buffer, scratch, buffer)
            if self.nesterov:
                np.multiply(buffer, self._momentum, scratch)
                g = np.add(g, scratch, scratch)
            else:
                g = buffer
        np.multiply(g, self._lr, scratch)
        np.subtract(p, scratch, p)
