"""Averages of the parameters along the way of a training.

    EMA        a = a + (1 - decay) · (p - a)          or    a = decay · a + (1 - decay) · p
    SWA        a = a + (p - a) / (n + 1)

where n is the number of averaged p; the first is copied. The two formulas of an EMA are equal but
for rounding: the left one is that of torch's get_ema_multi_avg_fn, the right one that of
get_ema_avg_fn. So it is with SWA: get_swa_multi_avg_fn interpolates with the weight 1 / (n + 1),
and get_swa_avg_fn divides, which AveragedModel does by default on a CPU.

Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM Journal on
Control and Optimization 1992; Izmailov et al., "Averaging weights leads to wider optima and better
generalization", UAI 2018; https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from stages.optim.arithmetic import Array, Lerp, chunks, rounded, single
from stages.optim.arrays import kind, require_arrays
from stages.optim.bounds import Hyperparameter, checked

# Moves an average on by the parameters, in place: (average, parameters, scratch).
Move = Callable[[Array, Array, Array], None]


class Average:
    """The base of both; `average` has the shape of the parameters, after the first call.

    n_averaged: the parameters in it
    """

    average: Array
    n_averaged = 0

    def __call__(self, parameters: Array) -> None:
        """Takes the parameters in, of one shape and dtype at all calls, float64 or float32.

        Raises ValueError for others.
        """
        before = self.average if self.n_averaged else None
        require_arrays(parameters, parameters, before)
        if before is None:
            self.average = parameters.copy()
        else:
            move, scratch = self.move(parameters), None
            for index in chunks(parameters):
                average, part = self.average[index], parameters[index]
                if scratch is None or scratch.shape != part.shape:
                    scratch = np.empty_like(part)
                move(average, part, scratch)
        self.n_averaged += 1

    def move(self, parameters: Array) -> Move:
        """The formula, with its numbers in the dtype of the parameters."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Array]:
        """Copies of what changes, by names like torch's; `module` is the average."""
        state = {"n_averaged": np.array(self.n_averaged)}
        return state | {"module": self.average.copy()} if self.n_averaged else state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state.

        Raises KeyError if something is missing, ValueError for an average of another dtype.
        """
        n_averaged = int(state["n_averaged"])
        if n_averaged:
            average = np.array(state["module"])
            if average.dtype.char not in "df":
                raise ValueError(f"module must be float64 or float32, got {kind(average)}")
            self.average = average
        self.n_averaged = n_averaged


@dataclass(eq=False)
class EMA(Average):
    """An exponential moving average.

    decay: the share of the average that is kept, of all runs or of each, (runs,)
    lerp: by linear interpolation, as torch's get_ema_multi_avg_fn; if not, as get_ema_avg_fn

    >>> ema = EMA(decay=0.75)
    >>> for value in (0.0, 4.0, 4.0):
    ...     ema(np.array([value]))
    >>> ema.average
    array([1.75])
    """

    decay: Annotated[Hyperparameter, Ge(0), Le(1)] = 0.999
    lerp: bool = True

    def __post_init__(self) -> None:
        self.decay = checked("decay", self.decay, Annotated[Hyperparameter, Ge(0), Le(1)])

    def move(self, parameters: Array) -> Move:
        if self.lerp:
            return Lerp(1 - self.decay, parameters)
        decay, rest = rounded(self.decay, parameters), rounded(1 - self.decay, parameters)

        def move(average: Array, part: Array, scratch: Array) -> None:
            np.multiply(part, rest, scratch)
            np.multiply(average, decay, average)
            np.add(average, scratch, average)

        return move


@dataclass(eq=False)
class SWA(Average):
    """The mean.

    lerp: by linear interpolation, as torch's get_swa_multi_avg_fn, which has its weight in single
        precision whatever the parameters'; if not, as get_swa_avg_fn

    >>> swa = SWA()
    >>> for value in (0.0, 4.0, 5.0):
    ...     swa(np.array([value]))
    >>> swa.average.round(6)
    array([3.])
    """

    lerp: bool = False

    def move(self, parameters: Array) -> Move:
        count = self.n_averaged + 1
        if self.lerp:
            return Lerp(single(1 / count), parameters)
        divisor = rounded(count, parameters)

        def move(average: Array, part: Array, scratch: Array) -> None:
            np.subtract(part, average, scratch)
            np.divide(scratch, divisor, scratch)
            np.add(average, scratch, average)

        return move
