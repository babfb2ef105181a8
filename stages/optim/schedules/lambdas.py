"""Factors that a function gives.

    LambdaLR            lr = f(t) · initial lr
    MultiplicativeLR    lr = f(t) · lr

https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html and
MultiplicativeLR.html. t counts the steps from 0.
"""

from dataclasses import dataclass
from typing import Any

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class LambdaLR(Schedule):
    """torch.optim.lr_scheduler.LambdaLR.

    lr_lambda: from the number of the step to the factor

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = LambdaLR(optimizer, lambda t: 1 / (t + 1))
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    optimizer: Any
    lr_lambda: Any
    last_epoch: int = -1

    def get_lr(self) -> float:
        lr: float = self.base_lr * self.lr_lambda(self.last_epoch)
        return lr

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"lr_lambdas": [None]}  # as torch has it for functions


class MultiplicativeLR(LambdaLR):
    """torch.optim.lr_scheduler.MultiplicativeLR.

    lr_lambda: from the number of the step to the factor

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=0.5)
    >>> schedule = MultiplicativeLR(optimizer, lambda t: 0.5)
    >>> schedule.step()
    >>> optimizer.lr
    0.25
    """

    def get_lr(self) -> float:
        lr: float = self.optimizer.lr
        return lr if self.is_initial else lr * self.lr_lambda(self.last_epoch)
