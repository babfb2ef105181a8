"""The optimizers that params.yaml may name, with the hyperparameters of each.

Names, order, defaults and refusals are those of torch.optim, but a learning rate of 0, with which
nothing would learn, is refused too.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field, Strict, ValidationInfo, field_validator

from stages.task.errors import Section, shown
from stages.task.values import DecayRate, Flag, NotNegative, Number, Numeric, Positive

Betas = Annotated[
    tuple[DecayRate, DecayRate], Field(description="two numbers of at least 0, below 1")
]


class SGD(Section):
    """Hyperparameters of stochastic gradient descent."""

    lr: Positive = 1e-3
    momentum: NotNegative = 0.0
    dampening: Number = 0.0
    weight_decay: NotNegative = 0.0
    nesterov: Flag = False
    maximize: Flag = False

    @field_validator("nesterov")
    @classmethod
    def _nesterov_extends_momentum(cls, nesterov: bool, info: ValidationInfo) -> bool:
        # A value that was itself refused is not there; it has a line of its own.
        momentum, dampening = info.data.get("momentum", 1.0), info.data.get("dampening", 0.0)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError(
                "needs momentum greater than 0 and dampening 0, "
                f"got momentum {momentum:g} and dampening {dampening:g}"
            )
        return nesterov


class Adam(Section):
    """Hyperparameters of Adam."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    amsgrad: Flag = False
    maximize: Flag = False
    decoupled_weight_decay: Flag = False


class AdamW(Section):
    """Hyperparameters of Adam with decoupled weight decay."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 1e-2
    amsgrad: Flag = False
    maximize: Flag = False


class Adamax(Section):
    """Hyperparameters of Adamax."""

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class NAdam(Section):
    """Hyperparameters of Adam with Nesterov's momentum."""

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum_decay: NotNegative = 4e-3
    decoupled_weight_decay: Flag = False
    maximize: Flag = False


class RAdam(Section):
    """Hyperparameters of rectified Adam."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    decoupled_weight_decay: Flag = False
    maximize: Flag = False


class Adagrad(Section):
    """Hyperparameters of Adagrad."""

    lr: Positive = 1e-2
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    initial_accumulator_value: NotNegative = 0.0
    eps: NotNegative = 1e-10
    maximize: Flag = False


class Adadelta(Section):
    """Hyperparameters of Adadelta."""

    lr: Positive = 1.0
    rho: Annotated[float, Strict(), Ge(0), Le(1), Numeric] = 0.9
    eps: NotNegative = 1e-6
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class RMSprop(Section):
    """Hyperparameters of RMSprop."""

    lr: Positive = 1e-2
    alpha: NotNegative = 0.99
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum: NotNegative = 0.0
    centered: Flag = False
    maximize: Flag = False


class Rprop(Section):
    """Hyperparameters of resilient backpropagation."""

    lr: Positive = 1e-2
    etas: Annotated[tuple[Positive, Positive], Field(description="two numbers around 1")] = (
        0.5,
        1.2,
    )
    step_sizes: Annotated[
        tuple[NotNegative, NotNegative], Field(description="two numbers of at least 0")
    ] = (1e-6, 50.0)
    maximize: Flag = False

    @field_validator("etas")
    @classmethod
    def _one_shrinks_and_one_grows(cls, etas: tuple[float, float]) -> tuple[float, float]:
        if not etas[0] < 1 < etas[1]:
            raise ValueError(f"must be a number below 1 and one above 1, got {shown(list(etas))}")
        return etas


class ASGD(Section):
    """Hyperparameters of averaged stochastic gradient descent."""

    lr: Positive = 1e-2
    lambd: Number = 1e-4
    alpha: Number = 0.75
    t0: Number = 1e6
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


Hyperparameters = (
    SGD | Adam | AdamW | Adamax | NAdam | RAdam | Adagrad | Adadelta | RMSprop | Rprop | ASGD
)
Name = Literal[
    "sgd",
    "adam",
    "adamw",
    "adamax",
    "nadam",
    "radam",
    "adagrad",
    "adadelta",
    "rmsprop",
    "rprop",
    "asgd",
]


class Optimizers(Section):
    """The optimizers that a task may select, each with its hyperparameters."""

    sgd: SGD | None = None
    adam: Adam | None = None
    adamw: AdamW | None = None
    adamax: Adamax | None = None
    nadam: NAdam | None = None
    radam: RAdam | None = None
    adagrad: Adagrad | None = None
    adadelta: Adadelta | None = None
    rmsprop: RMSprop | None = None
    rprop: Rprop | None = None
    asgd: ASGD | None = None


class Variants(Section):
    """The variants to check of each optimizer, whose key is its name in torch.optim."""

    sgd: Annotated[tuple[SGD, ...], Field(alias="SGD")] = ()
    adam: Annotated[tuple[Adam, ...], Field(alias="Adam")] = ()
    adamw: Annotated[tuple[AdamW, ...], Field(alias="AdamW")] = ()
    adamax: Annotated[tuple[Adamax, ...], Field(alias="Adamax")] = ()
    nadam: Annotated[tuple[NAdam, ...], Field(alias="NAdam")] = ()
    radam: Annotated[tuple[RAdam, ...], Field(alias="RAdam")] = ()
    adagrad: Annotated[tuple[Adagrad, ...], Field(alias="Adagrad")] = ()
    adadelta: Annotated[tuple[Adadelta, ...], Field(alias="Adadelta")] = ()
    rmsprop: Annotated[tuple[RMSprop, ...], Field(alias="RMSprop")] = ()
    rprop: Annotated[tuple[Rprop, ...], Field(alias="Rprop")] = ()
    asgd: Annotated[tuple[ASGD, ...], Field(alias="ASGD")] = ()
