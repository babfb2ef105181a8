"""Learning rates that rise and fall, and a momentum that does the opposite.

CyclicLR goes from base_lr up to max_lr and down again in straight lines, over and over:

    lr = base_lr + (max_lr - base_lr) · height · scale

where height goes from 0 to 1 and back, and scale is 1 ("triangular"), half as much with each cycle
("triangular2"), gamma^t ("exp_range"), or a function of one's own.

OneCycleLR rises once from max_lr / div_factor to max_lr and falls to a final_div_factor-th of where
it began, along cosines or straight lines.

Smith, "Cyclical learning rates for training neural networks", WACV 2017; Smith and Topin,
"Super-convergence: very fast training of neural networks using large learning rates", 2017;
https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html and
OneCycleLR.html
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from stages.optim.schedules.schedule import Schedule


class Cycle(Schedule):
    """The base of both: a learning rate and a momentum that follow from the number of the step."""

    cycle_momentum: bool

    def values_at(self, t: int) -> tuple[float, float]:
        """Learning rate and momentum."""
        raise NotImplementedError

    def get_lr(self) -> float:
        """The learning rate; sets the momentum, too."""
        lr, momentum = self.values_at(self.last_epoch)
        self.set_momentum(momentum)
        return lr

    def set_momentum(self, momentum: float) -> None:
        if not self.cycle_momentum:
            return
        optimizer = self.optimizer
        if hasattr(optimizer, "betas"):
            optimizer.betas = (momentum, *optimizer.betas[1:])
        elif hasattr(optimizer, "momentum"):
            optimizer.momentum = momentum
        else:
            raise ValueError(
                "cycle_momentum must be False for an optimizer without momentum and betas, got True"
            )

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        _, momentum = self.values_at(max(0, self.last_epoch))  # -1 in a sequence, before its turn
        self.set_momentum(momentum)


@dataclass(eq=False)
class CyclicLR(Cycle):
    """torch.optim.lr_scheduler.CyclicLR.

    base_lr, max_lr: the ends of each rise
    step_size_up, step_size_down: steps up and down; down as many as up by default
    mode: how the cycles become smaller, without a scale_fn
    gamma: of "exp_range"
    scale_fn: the scale, of the number of the cycle or that of the step, by scale_mode
    cycle_momentum: whether momentum falls from max_momentum to base_momentum meanwhile

    >>> from stages.optim import SGD
    >>> optimizer = SGD()
    >>> schedule = CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
    >>> schedule.step()
    >>> optimizer.lr, round(optimizer.momentum, 6)
    (0.5, 0.85)
    """

    optimizer: Any
    base_lr: float
    max_lr: float
    step_size_up: Annotated[int, Gt(0)] = 2000
    step_size_down: Annotated[int, Ge(0)] | None = None
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: float = 1.0
    scale_fn: Any = None
    scale_mode: Literal["cycle", "iterations"] = "cycle"
    cycle_momentum: bool = True
    base_momentum: float = 0.8
    max_momentum: float = 0.9
    last_epoch: int = -1

    def __post_init__(self) -> None:
        base_lr = self.base_lr
        super().__post_init__()
        self.base_lr = base_lr

    def prepare(self) -> None:
        if self.last_epoch == -1:
            self.optimizer.lr = self.base_lr
        up = float(self.step_size_up)
        self._total = up + (up if self.step_size_down is None else float(self.step_size_down))
        self._share_up = up / self._total

    def values_at(self, t: int) -> tuple[float, float]:
        cycle = math.floor(1 + t / self._total)
        x = 1.0 + t / self._total - cycle
        height = x / self._share_up if x <= self._share_up else (x - 1) / (self._share_up - 1)
        scale = self._scale(cycle, t)
        lr = self.base_lr + (self.max_lr - self.base_lr) * height * scale
        fall = (self.max_momentum - self.base_momentum) * height * scale
        return lr, self.max_momentum - fall

    def _scale(self, cycle: int, t: int) -> float:
        scale: float = 1.0
        if self.scale_fn is not None:
            scale = self.scale_fn(cycle if self.scale_mode == "cycle" else t)
        elif self.mode == "triangular2":
            scale = 1 / 2.0 ** (cycle - 1)
        elif self.mode == "exp_range":
            scale = self.gamma**t
        return scale

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"_scale_fn_custom": None}  # as torch has it for functions


@dataclass(eq=False)
class OneCycleLR(Cycle):
    """torch.optim.lr_scheduler.OneCycleLR.

    max_lr: at the top
    total_steps: until the end, or
    epochs, steps_per_epoch: whose product it is
    pct_start: the share of the steps that go up
    anneal_strategy: "cos" or "linear"
    cycle_momentum: whether momentum falls from max_momentum to base_momentum and rises again
    div_factor: max_lr over the learning rate at the beginning
    final_div_factor: that over the one at the end
    three_phase: come down to where it began in as many steps as up, and then to the end

    Raises ValueError at the second step beyond the end. The first is as in torch; in a straight
    line it may lead below 0, which optimizers refuse.

    >>> from stages.optim import SGD
    >>> optimizer = SGD()
    >>> schedule = OneCycleLR(optimizer, max_lr=1.0, total_steps=4, pct_start=0.5)
    >>> round(optimizer.lr, 6)
    0.04
    >>> schedule.step()
    >>> optimizer.lr, optimizer.momentum
    (1.0, 0.85)
    """

    optimizer: Any
    max_lr: float
    total_steps: Annotated[int, Ge(1)] | None = None
    epochs: Annotated[int, Ge(1)] | None = None
    steps_per_epoch: Annotated[int, Ge(1)] | None = None
    pct_start: Annotated[float, Ge(0), Le(1)] = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    cycle_momentum: bool = True
    base_momentum: float = 0.85
    max_momentum: float = 0.95
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False
    last_epoch: int = -1

    def prepare(self) -> None:
        total = self.total_steps
        if total is None:
            if self.epochs is None or self.steps_per_epoch is None:
                raise ValueError("total_steps is missing; or give epochs and steps_per_epoch")
            total = self.epochs * self.steps_per_epoch
        self._total = total
        initial_lr = self.max_lr / self.div_factor
        if self.last_epoch == -1:
            self.optimizer.initial_lr = initial_lr
        min_lr, low, high = (
            initial_lr / self.final_div_factor,
            self.base_momentum,
            self.max_momentum,
        )
        # Of each phase its last step, and the ends of learning rate and momentum.
        up = (float(self.pct_start * total) - 1, (initial_lr, self.max_lr), (high, low))
        if self.three_phase:
            down = (
                float(2 * self.pct_start * total) - 2,
                (self.max_lr, initial_lr),
                (low, high),
            )
            self._phases = [up, down, (total - 1, (initial_lr, min_lr), (high, high))]
        else:
            self._phases = [up, (total - 1, (self.max_lr, min_lr), (low, high))]

    def values_at(self, t: int) -> tuple[float, float]:
        if t > self._total:
            raise ValueError(f"OneCycleLR has {self._total} steps, and this would be step {t}")
        first = 0.0
        *early, phase = self._phases
        for each in early:
            if t <= each[0]:
                phase = each
                break
            first = each[0]
        last, lrs, momenta = phase
        share = (t - first) / (last - first)
        return self._between(*lrs, share), self._between(*momenta, share)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
