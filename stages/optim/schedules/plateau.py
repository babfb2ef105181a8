"""Smaller steps where a measure no longer improves.

    lr = max(factor · lr, min_lr)    after more than patience epochs without a new best

https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Lt

from stages.optim.schedules.schedule import Schedule


@dataclass(eq=False)
class ReduceLROnPlateau(Schedule):
    """torch.optim.lr_scheduler.ReduceLROnPlateau.

    mode: whether less is better, or more
    factor: of the learning rate
    patience: epochs without a new best that are let pass
    threshold: how much better a new best must be, relative to the best or absolute
    cooldown: epochs after a reduction that do not count
    min_lr: the smallest learning rate
    eps: a reduction by no more than this is left out

    >>> from stages.optim import SGD
    >>> optimizer = SGD(lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (3.0, 3.0, 3.0):
    ...     schedule.step(loss)
    >>> optimizer.lr
    0.5
    """

    optimizer: Any
    mode: Literal["min", "max"] = "min"
    factor: Annotated[float, Lt(1)] = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    min_lr: float = 0
    eps: float = 1e-8

    state_names = ("best", "cooldown_counter", "num_bad_epochs")

    def __post_init__(self) -> None:
        self.last_epoch = -1
        super().__post_init__()

    def begin(self) -> None:
        self.last_epoch, self.last_lr = 0, self.optimizer.lr
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = 0

    def step(self, metrics: float) -> None:  # type: ignore[override]
        """Looks at the measure after an epoch."""
        self.last_epoch += 1
        current = float(metrics)
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            lr = float(self.optimizer.lr)
            reduced = max(lr * self.factor, self.min_lr)
            if lr - reduced > self.eps:
                self.optimizer.lr = reduced
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self.last_lr = self.optimizer.lr

    def _is_better(self, current: float) -> bool:
        relative, threshold = self.threshold_mode == "rel", self.threshold
        if self.mode == "min":
            bound = self.best * (1.0 - threshold) if relative else self.best - threshold
            return current < bound
        bound = self.best * (threshold + 1.0) if relative else self.best + threshold
        return current > bound

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        return {name: state[name] for name in ("last_epoch", "_last_lr", *self.state_names)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        unused = {"_step_count": self.step_count, "base_lrs": [self.base_lr]}
        super().load_state_dict({**unused, **state})

    step_count = 0
