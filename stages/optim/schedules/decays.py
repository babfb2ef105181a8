"""Decays by a constant factor, at some steps or at all.

    StepLR              lr = gamma · lr    at each multiple of step_size
    MultiStepLR         lr = gamma · lr    at each of the milestones
    ExponentialLR       lr = gamma · lr    at each step

https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html,
MultiStepLR.html and ExponentialLR.html
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class StepLR(Schedule):
    """torch.optim.lr_scheduler.StepLR.

    step_size: steps from one decay to the next
    gamma: the factor

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> optimizer.lr
    0.125
    """

    optimizer: Any
    step_size: Annotated[int, Ge(1)]
    gamma: float = 0.1
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return lr
        return lr * self.gamma

    def closed_form_lr(self) -> float:
        lr: float = self.base_lr * self.gamma ** (self.last_epoch // self.step_size)
        return lr


@dataclass(eq=False)
class MultiStepLR(Schedule):
    """torch.optim.lr_scheduler.MultiStepLR.

    milestones: the steps at which the learning rate decays; what is named twice counts twice
    gamma: the factor

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> optimizer.lr
    0.125
    """

    optimizer: Any
    milestones: Any
    gamma: float = 0.1
    last_epoch: int = -1

    def prepare(self) -> None:
        self._decays = Counter(self.milestones)

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        if self.last_epoch not in self._decays:
            return lr
        return lr * self.gamma ** self._decays[self.last_epoch]

    def closed_form_lr(self) -> float:
        decays = bisect_right(sorted(self._decays.elements()), self.last_epoch)
        lr: float = self.base_lr * self.gamma**decays
        return lr


@dataclass(eq=False)
class ExponentialLR(Schedule):
    """torch.optim.lr_scheduler.ExponentialLR.

    gamma: the factor

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = ExponentialLR(optimizer, gamma=0.5)
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    optimizer: Any
    gamma: float
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        return lr if self.is_initial else lr * self.gamma

    def closed_form_lr(self) -> float:
        lr: float = self.base_lr * self.gamma**self.last_epoch
        return lr
