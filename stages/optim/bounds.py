"""Kinds of hyperparameters, and the refusal of values beyond the bounds in their annotations."""

from dataclasses import fields
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

Hyperparameter = float | NDArray[np.float64]  # one for all runs, or (runs,)
NotNegative = Annotated[Hyperparameter, Ge(0)]
Beta = Annotated[Hyperparameter, Ge(0), Lt(1)]  # the decay rate of a running mean


class Bounded:
    """The base of a dataclass whose fields have bounds in their annotations.

    Raises ValueError for the first value that breaks a bound, of one run or of all.
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            check(field.name, getattr(self, field.name), field.type)


def check(name: str, value: Any, annotation: Any) -> None:
    """Raises ValueError if the value breaks a bound in the annotation, of one run or of all."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if NoneType in parts:
        if value is not None:
            check(name, value, parts[0])
    elif origin is Literal:
        if value not in parts:
            raise ValueError(f"{name} must be one of {', '.join(parts)}; got {value!r}")
    elif origin is tuple:
        if len(value) != len(parts):
            raise ValueError(f"{name} must be {len(parts)} numbers, got {value}")
        for index, part in enumerate(parts):
            check(f"{name}[{index}]", value[index], part)
    elif origin is Annotated:
        for bound in parts[1:]:
            holds, rule = within(bound, value)
            if not np.all(holds):
                where = ""
                if isinstance(value, np.ndarray):
                    run = int(np.argmin(holds))
                    value, where = value[run], f" in run {run}"
                raise ValueError(f"{name} must be {rule}, got {value}{where}")


def within(bound: object, value: Any) -> tuple[Any, str]:
    """Whether the value is within the bound, in each run if it has runs; and the bound in words."""
    match bound:
        case Ge(limit):
            return value >= limit, f"at least {limit}"
        case Gt(limit):
            return value > limit, f"greater than {limit}"
        case Le(limit):
            return value <= limit, f"at most {limit}"
        case Lt(limit):
            return value < limit, f"less than {limit}"
    raise TypeError(f"{bound} is not a bound of a hyperparameter")
