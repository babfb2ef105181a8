"""The optimizers that params.yaml may name, with the hyperparameters of each.

Names, order, defaults and refusals are those of torch.optim, but a learning rate of 0, with which
nothing would learn, is refused too.
"""

import math
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le, Lt
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    Strict,
    ValidationInfo,
    create_model,
    field_validator,
)

from stages.task.errors import shown
from stages.task.section import Section
from stages.task.values import (
    Count,
    DecayRate,
    Flag,
    NotNegative,
    Number,
    Numeric,
    Positive,
    number,
)

Scope = Literal["element", "array", "model"]


class Hyperparameters(Section):
    """The hyperparameters of one optimizer, and its two classes by their dotted names.

    scope: which gradients the update of one parameter depends on: its own alone, those of its
        array (Adafactor's means), or those of the whole model (L-BFGS)
    """

    scope: ClassVar[Scope] = "element"

    @property
    def by_hand(self) -> str:
        """The class in NumPy."""
        return f"stages.optim.{type(self).__name__}"

    @property
    def by_torch(self) -> str | None:
        """The class in torch that it must equal, None if there is none."""
        return f"torch.optim.{type(self).__name__}"

    def values(self) -> dict[str, Any]:
        """The hyperparameters by name, as either class takes them."""
        return self.model_dump()

    def given(self) -> dict[str, Any]:
        """Those that params.yaml gives, by name."""
        return {
            name: value for name, value in self.values().items() if name in self.model_fields_set
        }


Betas = Annotated[
    tuple[DecayRate, DecayRate], Field(description="two numbers of at least 0, below 1")
]


class SGD(Hyperparameters):
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


class Adam(Hyperparameters):
    """Hyperparameters of Adam."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    amsgrad: Flag = False
    maximize: Flag = False
    decoupled_weight_decay: Flag = False


class AdamW(Hyperparameters):
    """Hyperparameters of Adam with decoupled weight decay."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 1e-2
    amsgrad: Flag = False
    maximize: Flag = False


class Adamax(Hyperparameters):
    """Hyperparameters of Adamax."""

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class NAdam(Hyperparameters):
    """Hyperparameters of Adam with Nesterov's momentum."""

    lr: Positive = 2e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum_decay: NotNegative = 4e-3
    decoupled_weight_decay: Flag = False
    maximize: Flag = False


class RAdam(Hyperparameters):
    """Hyperparameters of rectified Adam."""

    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    decoupled_weight_decay: Flag = False
    maximize: Flag = False


class Adagrad(Hyperparameters):
    """Hyperparameters of Adagrad."""

    lr: Positive = 1e-2
    lr_decay: NotNegative = 0.0
    weight_decay: NotNegative = 0.0
    initial_accumulator_value: NotNegative = 0.0
    eps: NotNegative = 1e-10
    maximize: Flag = False


class Adadelta(Hyperparameters):
    """Hyperparameters of Adadelta."""

    lr: Positive = 1.0
    rho: Annotated[float, Strict(), Ge(0), Le(1), Numeric] = 0.9
    eps: NotNegative = 1e-6
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class RMSprop(Hyperparameters):
    """Hyperparameters of RMSprop."""

    lr: Positive = 1e-2
    alpha: NotNegative = 0.99
    eps: NotNegative = 1e-8
    weight_decay: NotNegative = 0.0
    momentum: NotNegative = 0.0
    centered: Flag = False
    maximize: Flag = False


class Rprop(Hyperparameters):
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


class ASGD(Hyperparameters):
    """Hyperparameters of averaged stochastic gradient descent."""

    lr: Positive = 1e-2
    lambd: Number = 1e-4
    alpha: Number = 0.75
    t0: Number = 1e6
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class Adafactor(Hyperparameters):
    """Hyperparameters of Adafactor."""

    scope = "array"
    lr: Positive = 1e-2
    beta2_decay: Annotated[float, Strict(), Le(0), Numeric] = -0.8
    eps: Annotated[
        tuple[NotNegative | None, NotNegative],
        Field(description="two numbers of at least 0, the first may be null"),
    ] = (None, 1e-3)
    d: Annotated[float, Strict(), Ge(1), Numeric] = 1.0
    weight_decay: NotNegative = 0.0
    maximize: Flag = False


class SparseAdam(Hyperparameters):
    """Hyperparameters of Adam for gradients of single rows."""

    scope = "array"
    lr: Positive = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: Positive = 1e-8
    maximize: Flag = False


class Muon(Hyperparameters):
    """Hyperparameters of Muon."""

    scope = "array"
    lr: Positive = 1e-3
    weight_decay: NotNegative = 0.1
    momentum: NotNegative = 0.95
    nesterov: Flag = True
    ns_coefficients: Annotated[
        tuple[Number, Number, Number], Field(description="three numbers")
    ] = (3.4445, -4.775, 2.0315)
    eps: Number = 1e-7
    ns_steps: Annotated[int, Strict(), Ge(0), Lt(100), Numeric] = 5
    adjust_lr_fn: Literal["original", "match_rms_adamw"] | None = None


class LBFGS(Hyperparameters):
    """Hyperparameters of L-BFGS."""

    scope = "model"
    lr: Positive = 1.0
    max_iter: Count = 20
    max_eval: Count | None = None
    tolerance_grad: Number = 1e-7
    tolerance_change: Number = 1e-9
    history_size: Count = 100
    line_search_fn: Literal["strong_wolfe"] | None = None


BUILT_IN: tuple[type[Hyperparameters], ...] = (
    SGD,
    Adam,
    AdamW,
    Adamax,
    NAdam,
    RAdam,
    Adagrad,
    Adadelta,
    RMSprop,
    Rprop,
    ASGD,
    Adafactor,
    SparseAdam,
    Muon,
    LBFGS,
)

# --------------------------------------------------------------------------- of the user's own


def _dotted_name(value: object) -> object:
    parts = str(value).split(".")
    if not isinstance(value, str) or len(parts) < 2 or not all(map(str.isidentifier, parts)):
        raise ValueError(
            f"must be a class after its module, such as stages.own.lion.Lion; got {shown(value)}"
        )
    return value


def _hyperparameter(value: object) -> object:
    if isinstance(value, list):
        return tuple(map(_hyperparameter, value))
    value = number(value)
    if isinstance(value, dict) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(
            f"must be a finite number, true, false, a text, null or a list; got {shown(value)}"
        )
    return value


DottedName = Annotated[str, BeforeValidator(_dotted_name), Field(description="a dotted name")]
Value = Annotated[Any, BeforeValidator(_hyperparameter)]


class Own(Hyperparameters):
    """An optimizer of the user's own: its class, its reference, and any hyperparameters."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Value] = Field(init=False)

    scope = "array"  # nothing is known of it
    own_class: Annotated[DottedName, Field(alias="class")]
    reference: DottedName | None = None

    @property
    def by_hand(self) -> str:
        return self.own_class

    @property
    def by_torch(self) -> str | None:
        return self.reference

    def values(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__)


class OwnVariants(Section):
    """The variants to check of an optimizer of the user's own."""

    own_class: Annotated[DottedName, Field(alias="class")]
    reference: DottedName | None = None
    variants: Annotated[
        tuple[dict[str, Value], ...], Field(description="a list of hyperparameters")
    ]

    def each(self) -> tuple[Own, ...]:
        both = {"class": self.own_class, "reference": self.reference}
        return tuple(Own.model_validate(both | variant) for variant in self.variants)


# -------------------------------------------------------------------------- keys of params.yaml


class Choices(Section):
    """A section with a key for each optimizer that may be named, and for those of the user's own.

    Iterated over, it gives the name and the hyperparameters of each.
    """

    own: ClassVar[type[Section]]

    @classmethod
    def read(cls, value: object) -> "Choices":
        """The section from params.yaml: a key that is not known is the user's if it has a class."""
        own: dict[str, Any] = {}
        if isinstance(value, dict):
            own = {
                name: (cls.own, ...)
                for name, section in value.items()
                if name not in cls.model_fields and isinstance(section, dict) and "class" in section
            }
        model = create_model("Choices", __base__=cls, **own) if own else cls
        return model.model_validate(value)

    @classmethod
    def unknown_key(cls, key: object) -> str:
        hint = "; an optimizer of your own needs the key class"
        return _NOT_FOR_NETWORKS.get(str(key)) or super().unknown_key(key) + hint


_NOT_FOR_NETWORKS = {
    "muon": "cannot train a network, since its biases are no matrices; see checks.optimizers",
    "sparseadam": "cannot train a network, since its gradients are dense; adam can",
}


class _Optimizers(Choices):
    own = Own


class _Variants(Choices):
    own = OwnVariants


TRAINS_NETWORKS = tuple(kind for kind in BUILT_IN if kind.__name__.lower() not in _NOT_FOR_NETWORKS)

_optimizers: dict[str, Any] = {
    kind.__name__.lower(): (kind | None, None) for kind in TRAINS_NETWORKS
}
_variants: dict[str, Any] = {
    kind.__name__: (tuple[kind, ...], ())  # type: ignore[valid-type]
    for kind in BUILT_IN
}

# A task's optimizers by the name in lower case, and the variants to check by the name of the class.
Optimizers = Annotated[
    SerializeAsAny[Choices],
    BeforeValidator(create_model("Optimizers", __base__=_Optimizers, **_optimizers).read),
]
Variants = Annotated[
    SerializeAsAny[Choices],
    BeforeValidator(create_model("Variants", __base__=_Variants, **_variants).read),
]
