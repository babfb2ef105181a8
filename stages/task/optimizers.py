"""An optimizer that params.yaml names, with its hyperparameters, for either twin.

The twins take the hyperparameters as they stand in params.yaml, whose bounds and defaults are in
hyperparameters.py: that looks at the optimizers in NumPy, and the twin in torch must not.
"""

import inspect
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from stages.task.errors import shown
from stages.task.section import Section
from stages.task.values import parsed

Scope = Literal["element", "array", "model"]


def scope_of(kind: type) -> Scope:
    """Which gradients the update of one parameter depends on, by a class in NumPy.

    Its own alone; those of its array (Adafactor's means) for a class with the attribute
    `each_array`; those of the whole model (L-BFGS) for one that is called with a closure, too.
    """
    if "closure" in inspect.signature(kind.__call__).parameters:
        return "model"
    return "array" if getattr(kind, "each_array", False) else "element"


class Hyperparameters(Section):
    """The hyperparameters of one optimizer, and its two classes by their dotted names.

    scope: see `scope_of`
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
    value = parsed(value)
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

    scope = "array"  # it may look at whole arrays: nothing else is known
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


def selected(optimizer: str, optimizers: Mapping[str, Any]) -> Own:
    """The optimizer of that key of a task's section `optimizers`."""
    section = optimizers[optimizer]
    if "class" not in section:
        both = {"class": f"stages.optim.{optimizer}", "reference": f"torch.optim.{optimizer}"}
        section = both | section
    return Own.model_validate(section)
