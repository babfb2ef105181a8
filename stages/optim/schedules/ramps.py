"""From one factor to another within some steps, as warm-ups and falls to zero.

    ConstantLR          lr = factor · initial lr    until total_iters, and the initial lr then
    LinearLR            from start_factor to end_factor in a straight line
    PolynomialLR        lr = (1 - t / total_iters)^power · initial lr

each as a recursion: with f(t) the factor at step t, lr = f(t) / f(t - 1) · lr.

https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html,
LinearLR.html and PolynomialLR.html
"""

from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class ConstantLR(Schedule):
    """torch.optim.lr_scheduler.ConstantLR.

    factor: of the learning rate until then
    total_iters: the step at which it ends

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = ConstantLR(optimizer, factor=0.25, total_iters=1)
    >>> optimizer.lr
    0.125
    >>> schedule.step()
    >>> optimizer.lr
    0.5
    """

    optimizer: Any
    factor: Annotated[float, Ge(0), Le(1)] = 1.0 / 3
    total_iters: int = 5
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        if self.last_epoch == 0:
            return lr * self.factor
        if self.last_epoch != self.total_iters:
            return lr
        return lr * (1.0 / self.factor)

    def closed_form_lr(self) -> float:
        ended = self.last_epoch >= self.total_iters
        lr: float = self.base_lr * (self.factor + ended * (1 - self.factor))
        return lr


@dataclass(eq=False)
class LinearLR(Schedule):
    """torch.optim.lr_scheduler.LinearLR.

    start_factor, end_factor: of the learning rate at step 0 and from total_iters on
    total_iters: the step at which the line ends

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> optimizer.lr
    0.75
    """

    optimizer: Any
    start_factor: Annotated[float, Gt(0), Le(1)] = 1.0 / 3
    end_factor: Annotated[float, Ge(0), Le(1)] = 1.0
    total_iters: int = 5
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self.is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return lr * (1.0 + rise / before)

    def closed_form_lr(self) -> float:
        rise = self.end_factor - self.start_factor
        factor = self.start_factor + (
            rise * min(self.total_iters, self.last_epoch) / self.total_iters
        )
        lr: float = self.base_lr * factor
        return lr


@dataclass(eq=False)
class PolynomialLR(Schedule):
    """torch.optim.lr_scheduler.PolynomialLR.

    total_iters: the step at which it is 0
    power: of the polynomial

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = PolynomialLR(optimizer, total_iters=2, power=2.0)
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    optimizer: Any
    total_iters: int = 5
    power: float = 1.0
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        if self.is_initial or self.last_epoch > self.total_iters:
            return lr
        here = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        factor: float = (here / before) ** self.power
        return lr * factor

    def closed_form_lr(self) -> float:
        here = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        lr: float = self.base_lr * here**self.power
        return lr
