"""The frame of the optimizers that treat each parameter by itself."""

from typing import Any, ClassVar

import numpy as np

from stages.optim.arithmetic import CHUNK, Array, Direction, chunks, some
from stages.optim.arrays import require_arrays
from stages.optim.bounds import Hyperparameter, require_runs
from stages.optim.state import Stateful


class ElementWise(Stateful):
    """An optimizer whose rule treats each parameter by itself, in arrays of any shape.

    A subclass is made by `hyperparameters`, with

    state_names: torch's names of the arrays that it keeps from step to step, see `Stateful`
    scratch_names: the arrays whose content a step leaves behind
    start: computes the numbers that are the same at all steps, in the dtype of the parameters; at
        the first step, and at the next one after a hyperparameter has been assigned
    begin_step: computes those that change from step to step
    update: the rule, given parameters, their direction (see `Direction`), state and scratch

    Every number among the hyperparameters may be an array with one value for each run, of
    parameters (runs, n). The arrays of the state have the shape of the parameters.
    """

    scratch_names: ClassVar[tuple[str, ...]] = ("scratch",)

    lr: Hyperparameter
    weight_decay: Hyperparameter = 0.0
    decoupled_weight_decay = False
    maximize: bool
    _gradients: Array | None = None

    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps.

        Raises ValueError for arrays that are not float64 or float32, of other shapes, or of other
        runs than the hyperparameters.
        """
        if parameters is not self._parameters or gradients is not self._gradients or self.changed:
            self._prepare(parameters, gradients)
        self.steps += 1
        self.begin_step(parameters)
        for index, direction, arrays in self._parts:
            p, g = parameters, gradients
            if index is not ...:
                p, g = parameters[index], gradients[index]
            if self._direction is not None:
                g = self._direction(p, g, direction)
            self.update(p, g, *arrays)

    def _prepare(self, parameters: Array, gradients: Array) -> None:
        require_arrays(parameters, gradients, self._parameters)
        if self.changed:
            require_runs(self.values(), parameters.shape)
            if self._parameters is None:
                self.begin(parameters)
                self._parts = self._divided(parameters)
            self.changed = False
            self.start(parameters)
        self._parameters, self._gradients = parameters, gradients

    def start(self, parameters: Array) -> None:
        decoupled_lr = self.lr if self.decoupled_weight_decay else None
        self._direction = None
        if self.maximize or some(self.weight_decay != 0):
            self._direction = Direction(parameters, self.weight_decay, self.maximize, decoupled_lr)

    def begin_step(self, parameters: Array) -> None: ...

    def update(self, *arrays: Any, **_: Any) -> None:
        raise NotImplementedError

    def new_scratch(self, part: Array) -> list[Array]:
        return [np.empty_like(part) for _ in self.scratch_names]

    def _divided(self, parameters: Array) -> list[tuple[Any, Array, list[Array]]]:
        """The parts of the parameters: all of them, or chunks where they are many.

        Of each its index, memory for its direction, and its state and scratch memory. A rule passes
        over its arrays several times.
        """
        parts = []
        memory: dict[tuple[int, ...], list[Array]] = {}  # by shape: the last part may be smaller
        for index in chunks(parameters, CHUNK):
            part = parameters[index]
            new = [np.empty_like(part), *self.new_scratch(part)]
            direction, *scratch = memory.setdefault(part.shape, new)
            arrays = (self.state.get(name) for name in self.state_names)
            state: list[Any] = [None if array is None else array[index] for array in arrays]
            parts.append((index, direction, [*state, *scratch]))
        return parts
