"""What an optimizer keeps from step to step: arrays by torch's names, given and taken back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from stages.optim.arithmetic import Array
from stages.optim.arrays import kind
from stages.optim.bounds import Bounded


class Stateful(Bounded):
    """An optimizer with a state.

    A subclass has

    state_names: torch's names of the arrays that it may keep
    new_state: those that it does keep with its hyperparameters, before the first step
    number_names, numbers, take_numbers: what it keeps besides, as numbers or arrays of one for each
        run

    From the first step on, `state` has the arrays by their names.
    """

    state_names: ClassVar[tuple[str, ...]] = ()
    number_names: ClassVar[tuple[str, ...]] = ("step",)
    optional_names: ClassVar[tuple[str, ...]] = ()  # numbers that are not there in all states

    steps = 0
    state: Mapping[str, Array] = MappingProxyType({})

    def new_state(self, parameters: Array) -> dict[str, Array]:
        return {name: np.zeros_like(parameters) for name in self.state_names}

    def numbers(self) -> dict[str, Any]:
        return {"step": self.steps}

    def take_numbers(self, loaded: Mapping[str, Array]) -> None:
        self.steps = int(loaded["step"])

    def state_dict(self) -> dict[str, Array]:
        """Copies of what changes from step to step, by torch's names; empty before the first step.

        It can be loaded into the state of a parameter of torch's optimizer. Numbers are float32, as
        torch's, but for SparseAdam's step, which torch has as one of Python's. Hyperparameters are
        not part of it. torch itself, when it loads a state, makes the numbers of NAdam and ASGD
        those of the parameters' dtype, and in float64 goes on a little otherwise than before.
        """
        if self._parameters is None:
            return {name: np.array(array) for name, array in self._loaded.items()}
        numbers = {name: np.asarray(each, np.float32) for name, each in self.numbers().items()}
        return numbers | {name: array.copy() for name, array in self.state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, of this class or of torch's, at the next step.

        The arrays are copied. Raises ValueError for names that the class does not have; the next
        step does for arrays that are missing or not like the parameters.
        """
        known = [*self.number_names, *self.optional_names, *self.state_names]
        for name in state:
            if name not in known:
                raise ValueError(
                    f"{name} is not in the state of {type(self).__name__}, which has "
                    f"{', '.join(known)}"
                )
        self._loaded = {name: np.array(each) for name, each in state.items()}
        self._parameters, self.changed, self.steps = None, True, 0

    def begin(self, parameters: Array) -> None:
        """Sets the state before the first step, or before the first one after a state is loaded."""
        state, loaded = self.new_state(parameters), self._loaded
        if loaded:
            for name in [*self.number_names, *state]:
                if name not in loaded:
                    raise ValueError(f"the state of {type(self).__name__} must have {name}")
            for name in self.state_names:
                if name in loaded:
                    like = state.get(name, parameters)
                    if loaded[name].shape != like.shape or loaded[name].dtype != like.dtype:
                        raise ValueError(
                            f"{name} must be {kind(like)} for these parameters, "
                            f"got {kind(loaded[name])}"
                        )
                    state[name] = loaded[name].copy()
            self.take_numbers(loaded)
        self.state = state
