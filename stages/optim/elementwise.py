"""The frame of the optimizers that treat each parameter by itself."""

from typing import Any, ClassVar

import numpy as np

from stages.optim.arithmetic import Array, Direction
from stages.optim.bounds import Bounded, Hyperparameter

# Bytes of parameters at a time: with their gradients and their state they stay in the cache.
CHUNK = 2**18


class ElementWise(Bounded):
    """An optimizer whose rule treats each parameter by itself, in arrays of any shape.

    A subclass is a dataclass of its hyperparameters, with

    state_names: torch's names of the arrays that it keeps from step to step, zeros at the start
    scratch_names: the arrays that hold nothing from one step to the next
    start: sets the numbers that are the same at all steps, in the dtype of the parameters
    begin_step: sets those that change from step to step
    update: the rule, given parameters, their direction (see `Direction`), state and scratch

    Every number among the hyperparameters may be an array with one value for each run, of
    parameters (runs, n). After the first step `state` has the arrays by their names, each in the
    shape of the parameters.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    scratch_names: ClassVar[tuple[str, ...]] = ("scratch",)

    lr: Hyperparameter
    weight_decay: Hyperparameter = 0.0
    decoupled_weight_decay = False
    maximize: bool
    steps = 0

    def __call__(self, parameters: Array, gradients: Array) -> None:
        """One step, in place; parameters and gradients have one shape and dtype at all steps."""
        if self.steps == 0:
            self._allocate(parameters)
            self.start(parameters)
        self.steps += 1
        self.begin_step(parameters)
        for part, memory, arrays in self._parts:
            p, g = (parameters, gradients) if part is ... else (parameters[part], gradients[part])
            if self._direction is not None:
                g = self._direction(p, g, memory)
            self.update(p, g, *arrays)

    def start(self, parameters: Array) -> None: ...

    def begin_step(self, parameters: Array) -> None: ...

    def update(self, *arrays: Any, **_: Any) -> None:
        raise NotImplementedError

    def new_state(self, parameters: Array) -> dict[str, Array]:
        return {name: np.zeros_like(parameters) for name in self.state_names}

    def new_scratch(self, part: Array) -> list[Array]:
        return [np.empty_like(part) for _ in self.scratch_names]

    def _allocate(self, parameters: Array) -> None:
        """Divides the parameters into parts: one, or chunks of them where they are many.

        A step passes over its arrays several times.
        """
        count, size = parameters.shape[-1] if parameters.ndim else 1, CHUNK // parameters.itemsize
        parts: list[Any] = [...]
        if count > size:
            parts = [(..., slice(at, at + size)) for at in range(0, count, size)]
        decoupled_lr = self.lr if self.decoupled_weight_decay else None
        self._direction = None
        if self.maximize or np.any(self.weight_decay):
            self._direction = Direction(parameters, self.weight_decay, self.maximize, decoupled_lr)
        self.state = self.new_state(parameters)
        self._parts: list[tuple[Any, Array, list[Array]]] = []
        memory: dict[tuple[int, ...], list[Array]] = {}
        for part in parts:
            like = parameters[part]
            scratch = memory.setdefault(like.shape, [np.empty_like(like), *self.new_scratch(like)])
            state = [array[part] for array in self.state.values()]
            self._parts.append((part, scratch[0], [*state, *scratch[1:]]))
