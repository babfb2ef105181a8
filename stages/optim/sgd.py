"""Stochastic gradient descent, with momentum.

    g = ∇f(p) + weight_decay · p
    b = momentum · b + (1 - dampening) · g        (b = g at the first step)
    p = p - lr · b                                (nesterov: p = p - lr · (g + momentum · b))

Nesterov's momentum in the form of Sutskever, Martens, Dahl and Hinton, "On the importance of
initialization and momentum in deep learning", ICML 2013; lr multiplies after the momentum.
"""

import numpy as np

from stages.optim.arithmetic import (
    Array,
    Direction,
    Hyperparameter,
    in_chunks,
    require_not_negative,
    rounded,
    workspace,
)


class SGD:
    """torch.optim.SGD in NumPy.

    lr: learning rate
    momentum: the share of the last update that is kept
    dampening: the share of the gradient that is kept out of the momentum, after the first step
    weight_decay: factor of the L2 penalty ½ · weight_decay · p²
    nesterov: take the gradient's step from where the momentum leads
    maximize: climb instead of descend

    Every number may be an array with one value for each run, of parameters (runs, n).
    Raises ValueError for lr, momentum or weight_decay below 0, and for nesterov without momentum
    or with dampening.

    >>> parameters = np.array([1.2])
    >>> SGD(lr=0.1)(parameters, np.array([2.0]))
    >>> parameters
    array([1.])
    """

    def __init__(
        self,
        lr: Hyperparameter = 1e-3,
        momentum: Hyperparameter = 0.0,
        dampening: Hyperparameter = 0.0,
        weight_decay: Hyperparameter = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        require_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (not np.all(momentum) or np.any(dampening)):
            raise ValueError("nesterov needs momentum and no dampening")
        self.lr, self.momentum, self.dampening = lr, momentum, dampening
        self.weight_decay, self.nesterov, self.maximize = weight_decay, nesterov, maximize
        self.steps = 0

    @in_chunks
    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._start(parameters)
        self.steps += 1
        g = self._direction(parameters, gradients)
        scratch = self._scratch
        if self._has_momentum:
            g = self._accelerated(g)
        np.multiply(g, self._lr, scratch)
        np.subtract(parameters, scratch, parameters)

    def _start(self, parameters: Array) -> None:
        self._lr = rounded(self.lr, parameters)
        self._momentum = rounded(self.momentum, parameters)
        # a run without momentum takes its whole gradient, whatever the others do
        undampened = np.where(np.equal(self.momentum, 0), 1.0, 1 - self.dampening)
        self._undampened = rounded(undampened, parameters)
        self._direction = Direction(parameters, self.weight_decay, self.maximize)
        self._has_momentum = np.any(self.momentum)
        self._scratch, self._gradient = workspace(parameters, 0), workspace(parameters, 1)
        self._buffer = np.empty_like(parameters)

    def _accelerated(self, g: Array) -> Array:
        buffer, scratch = self._buffer, self._scratch
        if self.steps == 1:
            np.copyto(buffer, g)
        else:
            np.multiply(buffer, self._momentum, buffer)
            np.multiply(g, self._undampened, scratch)
            np.add(buffer, scratch, buffer)
        if not self.nesterov:
            return buffer
        np.multiply(buffer, self._momentum, scratch)
        return np.add(g, scratch, self._gradient)
