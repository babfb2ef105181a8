"""The optimizers that params.yaml may name, with the hyperparameters of each.

Names, order, defaults and bounds of the hyperparameters are those in the signatures of
`stages.optim`, but a learning rate of 0, with which nothing would learn, is refused too.
"""

import inspect
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from annotated_types import Le, Lt
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    Strict,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from stages import optim
from stages.optim.bounds import Hyperparameter
from stages.task.optimizers import DottedName, Hyperparameters, Own, Value, scope_of
from stages.task.section import Section
from stages.task.values import MOST, Flag, Numeric, Positive, Whole


class BuiltIn(Hyperparameters):
    """The hyperparameters of a class of `stages.optim`, as its signature declares them."""

    kind: ClassVar[type]

    @model_validator(mode="after")
    def _accepted_by_the_class(self) -> "BuiltIn":
        # each is within its bounds here, but they need not fit together
        try:
            self.kind(**self.values())
        except ValueError as error:
            raise PydanticCustomError("in_words", "{words}", {"words": str(error)}) from None
        return self


def section(kind: type) -> type[BuiltIn]:
    """The section of params.yaml for the hyperparameters of a class of `stages.optim`."""
    fields: dict[str, Any] = {
        name: (Positive if name == "lr" else valid(parameter.annotation), parameter.default)
        for name, parameter in inspect.signature(kind).parameters.items()
    }
    model = create_model(kind.__name__, __base__=BuiltIn, __module__=__name__, **fields)
    model.kind = kind
    model.scope = scope_of(kind)
    return model


def valid(annotation: Any, *bounds: object) -> Any:
    """The type in params.yaml of a hyperparameter with this annotation."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return valid(parts[0], *parts[1:])
    if annotation in (float, Hyperparameter):
        return Annotated[float, Strict(), *bounds, Numeric]
    if annotation is int:
        most = () if any(isinstance(bound, Lt | Le) for bound in bounds) else (Le(MOST),)
        return Annotated[int, Strict(), *bounds, *most, Whole]
    if annotation is bool:
        return Flag
    if origin is tuple:
        description = Field(description=f"{len(parts)} numbers")
        return Annotated[tuple[*map(valid, parts)], description]  # type: ignore[misc]
    if parts and origin is not Literal:
        return reduce(or_, map(valid, parts))
    return annotation


BUILT_IN = (
    SGD := section(optim.SGD),
    Adam := section(optim.Adam),
    AdamW := section(optim.AdamW),
    Adamax := section(optim.Adamax),
    NAdam := section(optim.NAdam),
    RAdam := section(optim.RAdam),
    Adagrad := section(optim.Adagrad),
    Adadelta := section(optim.Adadelta),
    RMSprop := section(optim.RMSprop),
    Rprop := section(optim.Rprop),
    ASGD := section(optim.ASGD),
    Adafactor := section(optim.Adafactor),
    SparseAdam := section(optim.SparseAdam),
    Muon := section(optim.Muon),
    LBFGS := section(optim.LBFGS),
)

# --------------------------------------------------------------------------- of the user's own


class OwnVariants(Section):
    """An optimizer of the user's own, and the hyperparameters of each of its variants to check."""

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
    "muon": "cannot train a network, since biases are not matrices; see checks.optimizers",
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
