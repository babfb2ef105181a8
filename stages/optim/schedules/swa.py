"""The learning rate of stochastic weight averaging: to a constant one, and there it stays.

    lr = alpha · swa_lr + (1 - alpha) · initial lr

where alpha goes from 0 to 1 in anneal_epochs steps, as a recursion: the initial learning rate is
inferred from the present one.

Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI 2018;
https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.SWALR
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class SWALR(Schedule):
    """torch.optim.swa_utils.SWALR.

    swa_lr: the constant
    anneal_epochs: the steps to it
    anneal_strategy: along a cosine, or a straight line

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2)
    >>> schedule.step()
    >>> optimizer.lr
    0.75
    """

    optimizer: Any
    swa_lr: float
    anneal_epochs: Annotated[int, Ge(0)] = 10
    anneal_strategy: Literal["cos", "linear"] = "cos"
    last_epoch: int = -1

    def get_lr(self) -> float:
        step = self.step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, alpha = self._alpha(step - 1), self._alpha(step)
        if before == 1:
            initial_lr = self.swa_lr
        else:
            initial_lr = (self.optimizer.lr - before * self.swa_lr) / (1 - before)
        return self.swa_lr * alpha + initial_lr * (1 - alpha)

    def _alpha(self, step: int) -> float:
        share = max(0, min(1, step / max(1, self.anneal_epochs)))
        return share if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2
