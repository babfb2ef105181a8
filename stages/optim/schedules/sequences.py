"""Several schedules: one after the other, or all at each step.

https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html and
ChainedScheduler.html
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from stages.optim.schedules.plateau import ReduceLROnPlateau
from stages.optim.schedules.schedule import Schedule


class Several(Schedule):
    """The base of both; Raises ValueError for schedules that are none or of several optimizers."""

    def __init__(self, optimizer: Any, schedulers: Sequence[Schedule]) -> None:
        if not schedulers:
            raise ValueError("schedulers must be at least one schedule, got none")
        for each in schedulers:
            if isinstance(each, ReduceLROnPlateau):
                raise ValueError("schedulers cannot be ReduceLROnPlateau, which asks for a measure")
            if each.optimizer is not optimizer:
                raise ValueError("schedulers must be of one optimizer, got several")
        self.optimizer, self.schedulers = optimizer, list(schedulers)

    def undo(self) -> None:
        for each in self.schedulers:
            each.undo()

    def state_dict(self) -> dict[str, Any]:
        states = [each.state_dict() for each in self.schedulers]
        return {"_schedulers": states, "_last_lr": [self.last_lr]}


class SequentialLR(Several):
    """torch.optim.lr_scheduler.SequentialLR.

    schedulers: of the optimizer, made in this order
    milestones: the step at which each but the first begins; it then sets the value of its step 0,
        by the closed form if it has one

    >>> from stages.optim import SGD
    >>> from stages.optim.schedules import ConstantLR, ExponentialLR
    >>> optimizer = SGD(lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.25, 9), ExponentialLR(optimizer, 0.5)]
    >>> schedule = SequentialLR(optimizer, parts, milestones=[2])
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(optimizer.lr)
    ...     schedule.step()
    >>> rates
    [0.25, 0.25, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Any,
        schedulers: Sequence[Schedule],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        super().__init__(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"milestones must be {len(schedulers) - 1}, one less than there are schedulers, "
                f"got {len(milestones)}"
            )
        if any(isinstance(each, Several) for each in schedulers[1:]):
            raise ValueError("only the first of the schedulers may be several itself, as in torch")
        self.milestones, self.last_epoch = list(milestones), last_epoch + 1
        optimizer.lr = optimizer.initial_lr
        self.undo()
        self._present().begin()
        self.last_lr = optimizer.lr

    def step(self) -> None:
        self.last_epoch += 1
        present = self._present()
        if self.last_epoch in self.milestones:
            present.restart()
        else:
            present.step()
        self.last_lr = self.optimizer.lr

    def _present(self) -> Schedule:
        return self.schedulers[bisect_right(self.milestones, self.last_epoch)]

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"last_epoch": self.last_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.last_epoch = state["last_epoch"]
        begun = bisect_right(self.milestones, self.last_epoch) + 1
        pairs = list(zip(self.schedulers, state["_schedulers"], strict=True))
        for each, its in [*pairs[begun:], *pairs[:begun]]:  # what the present one sets, remains
            each.load_state_dict(its)
        (lr,) = state["_last_lr"]
        self.set_lr(lr)


class ChainedScheduler(Several):
    """torch.optim.lr_scheduler.ChainedScheduler.

    schedulers: of one optimizer; at each step each of them steps in turn

    >>> from stages.optim import SGD
    >>> from stages.optim.schedules import ConstantLR, ExponentialLR
    >>> optimizer = SGD(lr=1.0)
    >>> parts = [ConstantLR(optimizer, 0.25, 1), ExponentialLR(optimizer, 0.5)]
    >>> schedule = ChainedScheduler(parts)
    >>> schedule.step()
    >>> optimizer.lr
    0.5
    """

    def __init__(self, schedulers: Sequence[Schedule], optimizer: Any = None) -> None:
        if optimizer is None and schedulers:
            optimizer = schedulers[0].optimizer
        super().__init__(optimizer, schedulers)
        self.last_lr = optimizer.lr

    def step(self) -> None:
        for each in self.schedulers:
            each.step()
        self.last_lr = self.optimizer.lr

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for each, its in zip(self.schedulers, state["_schedulers"], strict=True):
            each.load_state_dict(its)
        (lr,) = state["_last_lr"]
        self.set_lr(lr)
