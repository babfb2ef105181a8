"""The frame of the schedules.

A schedule is made for an optimizer, whose learning rate it sets at once, and again at each call of
`step`, which belongs after the optimizer's step or at the end of an epoch. Most follow a recursion:
the next learning rate is the present one, whoever has set it, times a factor. So schedules can be
chained, and rounding adds up as in torch. `closed_form_lr` gives the formula that the recursion
stands for where torch has one; it differs from the recursion in the last places, and altogether
once something else has changed the learning rate.

All is computed in Python's own floats, in torch's order of operations.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from stages.optim.bounds import checked


class Schedule:
    """The base of the schedules, each a dataclass with the arguments of torch's class.

    optimizer: has the attribute lr, and momentum or betas where those are cycled
    last_epoch: the steps taken so far, -1 before the first. To begin with another number is to go
        on, and needs `optimizer.initial_lr`, which the first schedule of an optimizer notes.

    A subclass has `get_lr`, and names in `state_names` what else changes from step to step.
    Raises ValueError for values beyond torch's bounds.
    """

    optimizer: Any
    last_epoch: int
    state_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            if each.type is not Any:
                checked(each.name, getattr(self, each.name), each.type)
        self.prepare()
        if self.last_epoch == -1:
            if not hasattr(self.optimizer, "initial_lr"):
                self.optimizer.initial_lr = self.optimizer.lr
        elif not hasattr(self.optimizer, "initial_lr"):
            raise ValueError(
                f"last_epoch must be -1 for an optimizer without initial_lr, got {self.last_epoch}"
            )
        self.base_lr = self.optimizer.initial_lr
        self.begin()

    def prepare(self) -> None:
        """What comes before the first value: numbers that follow from the arguments."""

    def begin(self) -> None:
        """Sets the first value."""
        self.step_count, self.is_initial = 0, True
        self.step()
        self.is_initial = False

    def step(self) -> None:
        """Sets the value of the next step or epoch."""
        self.step_count += 1
        self.last_epoch += 1
        self.set_lr(self.get_lr())

    def restart(self) -> None:
        """Sets the value of step 0, by the closed form if there is one."""
        self.last_epoch = 0
        closed_form = getattr(self, "closed_form_lr", self.get_lr)
        self.set_lr(closed_form())

    def undo(self) -> None:
        """Takes back the counting of the first step."""
        self.last_epoch -= 1

    def get_lr(self) -> float:
        """The learning rate at `last_epoch`, which follows the optimizer's present one."""
        raise NotImplementedError

    def set_lr(self, lr: float) -> None:
        self.optimizer.lr = self.last_lr = lr

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step, by torch's names, in numbers and lists of numbers.

        It can be loaded into torch's schedule. That of functions is not part of it.
        """
        return {
            "last_epoch": self.last_epoch,
            "_step_count": self.step_count,
            "_last_lr": [self.last_lr],
            "base_lrs": [self.base_lr],
        } | {name: getattr(self, name) for name in self.state_names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state, of this class or of torch's, and sets the optimizer's values.

        Raises KeyError if something is missing; what torch has beyond that is not looked at.
        """
        self.last_epoch, self.step_count = state["last_epoch"], state["_step_count"]
        (self.base_lr,) = state["base_lrs"]
        for name in self.state_names:
            setattr(self, name, state[name])
        (lr,) = state["_last_lr"]
        self.set_lr(lr)
