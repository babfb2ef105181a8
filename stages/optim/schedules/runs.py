"""Schedules whose values differ from run to run, of an optimizer that trains many runs at once."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stages.optim.schedules.schedule import Schedule

SCHEDULED = ("lr", "momentum", "betas")  # what a schedule sets


class EachRun:
    """A schedule for each run, each of which computes what it computes alone.

    optimizer: its lr, and what else a schedule sets, become arrays, (runs,)
    make: of an optimizer, which stands for that of one run, and the number of the run

    >>> from stages.optim import SGD
    >>> from stages.optim.schedules import ExponentialLR
    >>> optimizer, gammas = SGD(lr=1.0), [0.5, 0.25]
    >>> schedule = EachRun(optimizer, 2, lambda one, run: ExponentialLR(one, gammas[run]))
    >>> schedule.step()
    >>> optimizer.lr
    array([0.5 , 0.25])
    """

    def __init__(
        self, optimizer: Any, runs: int, make: Callable[[Any, int], Schedule | Any]
    ) -> None:
        self.optimizer = optimizer
        self._ones = [_OneRun() for _ in range(runs)]
        self._hand_out()
        self.schedules = [make(one, run) for run, one in enumerate(self._ones)]
        self._collect()

    def step(self, *metrics: Any) -> None:
        """A step of each; metrics: (runs,), where the schedules ask for a measure."""
        self._hand_out()
        for run, each in enumerate(self.schedules):
            each.step(*(values[run] for values in metrics))
        self._collect()

    def state_dict(self) -> dict[str, Any]:
        return {"runs": [each.state_dict() for each in self.schedules]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._hand_out()
        for each, its in zip(self.schedules, state["runs"], strict=True):
            each.load_state_dict(its)
        self._collect()

    def _hand_out(self) -> None:
        for name in SCHEDULED:
            if hasattr(self.optimizer, name):
                value = getattr(self.optimizer, name)
                for run, one in enumerate(self._ones):
                    setattr(one, name, _of_run(value, run))

    def _collect(self) -> None:
        for name in SCHEDULED:
            if hasattr(self.optimizer, name):
                values = [getattr(one, name) for one in self._ones]
                before = [_of_run(getattr(self.optimizer, name), run) for run in range(len(values))]
                if values != before:
                    setattr(self.optimizer, name, _stacked(values))


class _OneRun:
    """An optimizer of one run, as far as a schedule has to do with it."""


def _of_run(value: Any, run: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_of_run(part, run) for part in value)
    return float(value[run]) if isinstance(value, np.ndarray) else value


def _stacked(values: list[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(_stacked(list(parts)) for parts in zip(*values, strict=True))
    return np.array(values)
