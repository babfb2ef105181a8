"""Cosine annealing, and with warm restarts.

    lr = eta_min + ½ · (initial lr - eta_min) · (1 + cos(π · t / T))

CosineAnnealingLR has T = T_max, and goes up again after it. It is a recursion:

    lr = eta_min + (1 + cos(π · t / T)) / (1 + cos(π · (t - 1) / T)) · (lr - eta_min)

CosineAnnealingWarmRestarts begins anew after T_0 steps, then after T_mult times as many, and so on.

Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017;
https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html and
CosineAnnealingWarmRestarts.html
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class CosineAnnealingLR(Schedule):
    """torch.optim.lr_scheduler.CosineAnnealingLR.

    T_max: the step at which the learning rate is smallest
    eta_min: the smallest

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> optimizer.lr
    0.5
    """

    optimizer: Any
    T_max: Annotated[int, Ge(1)]
    eta_min: float = 0.0
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        t, height = self.last_epoch, self.base_lr - self.eta_min
        if self.is_initial:
            return lr
        if self.step_count == 1 and t > 0:
            first: float = self.eta_min + height * (1 + math.cos(t * math.pi / self.T_max)) / 2
            return first
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # the recursion would divide by 0
            up: float = lr + height * (1 - math.cos(math.pi / self.T_max)) / 2
            return up
        here = 1 + math.cos(math.pi * t / self.T_max)
        before = 1 + math.cos(math.pi * (t - 1) / self.T_max)
        return here / before * (lr - self.eta_min) + self.eta_min

    def closed_form_lr(self) -> float:
        height = self.base_lr - self.eta_min
        here = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        lr: float = self.eta_min + height * here / 2
        return lr


@dataclass(eq=False)
class CosineAnnealingWarmRestarts(Schedule):
    """torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.

    T_0: steps until the first restart
    T_mult: how many times longer each period is than the one before
    eta_min: the smallest learning rate

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for _ in range(4):
    ...     schedule.step()
    ...     rates.append(optimizer.lr)
    >>> rates
    [0.5, 1.0, 0.5, 1.0]
    """

    optimizer: Any
    T_0: Annotated[int, Ge(1)]
    T_mult: Annotated[int, Ge(1)] = 1
    eta_min: float = 0.0
    last_epoch: int = -1

    state_names = ("T_cur", "T_i")

    def prepare(self) -> None:
        self.T_cur: float = self.last_epoch  # steps since the last restart
        self.T_i = self.T_0  # steps of this period

    def step(self, epoch: float | None = None) -> None:
        """Sets the value of the next step, or of any epoch, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._find_period(epoch)
            self.last_epoch = math.floor(epoch)
        self.set_lr(self.get_lr())

    def _find_period(self, epoch: float) -> None:
        if epoch < 0:
            raise ValueError(f"epoch must be at least 0, got {epoch}")
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n

    def get_lr(self) -> float:
        height = self.base_lr - self.eta_min
        lr: float = self.eta_min + height * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return lr
