"""Hyperparameters: their kinds, and what becomes of a value that is given or assigned."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, TypeVar, dataclass_transform, get_args, get_origin

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

Hyperparameter = float | NDArray[np.float64]  # one for all runs, or (runs,)
NotNegative = Annotated[Hyperparameter, Ge(0)]
Beta = Annotated[Hyperparameter, Ge(0), Lt(1)]  # the decay rate of a running mean


class Bounded:
    """The base of the classes that `hyperparameters` makes.

    changed: whether a hyperparameter has been assigned since a step has last looked
    """

    changed = True
    _parameters: NDArray[Any] | None = None  # of the last step
    _loaded: Mapping[str, NDArray[Any]] = MappingProxyType({})  # the state that was loaded last

    def __post_init__(self) -> None:
        self.require({})

    def values(self) -> dict[str, Any]:
        """The hyperparameters by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    def require(self, assigned: Mapping[str, Any]) -> None:
        """Raises ValueError if the hyperparameters do not go together.

        assigned: what one of them is about to become, by its name; nothing in the constructor
        """


Kind = TypeVar("Kind", bound=type[Bounded])


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def hyperparameters(kind: Kind) -> Kind:
    """Makes the class a dataclass of hyperparameters, which may be assigned at any time.

    Each value is held to its annotation: numbers within bounds, tuples of them, flags, words. Where
    the annotation has `Hyperparameter` an array is taken as well, with one number for each run, and
    kept as a copy that cannot be written to. Raises ValueError for anything else, of one run or of
    all, and for what the class refuses by `require`; an assignment then changes nothing.
    """
    dataclass(eq=False)(kind)
    for each in fields(kind):  # type: ignore[arg-type]
        setattr(kind, each.name, _property(each.name, each.type))
    return kind


def _property(name: str, annotation: Any) -> property:
    kept = f"_given_{name}"

    def assign(owner: Bounded, value: Any) -> None:
        value = checked(name, value, annotation)
        if hasattr(owner, kept):  # if not, the constructor is at work, which asks at its end
            owner.require({name: value})
            owner.changed = True
        setattr(owner, kept, value)

    return property(attrgetter(kept), assign)


def checked(name: str, value: Any, annotation: Any) -> Any:
    """The value as it is kept. Raises ValueError if it is not what the annotation says."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        value = number(name, value, parts[0])
        for bound in parts[1:]:
            holds, rule = within(bound, value)
            if holds is not True and not np.all(holds):
                where = ""
                if isinstance(value, np.ndarray):
                    run = int(np.argmin(holds))
                    value, where = value[run], f" in run {run}"
                raise ValueError(f"{name} must be {rule}, got {value}{where}")
    elif origin is Literal:
        if value not in parts:
            raise ValueError(f"{name} must be one of {', '.join(parts)}; got {value!r}")
    elif origin is tuple:
        if not isinstance(value, tuple | list) or len(value) != len(parts):
            raise ValueError(f"{name} must be {len(parts)} numbers, got {value}")
        value = tuple(checked(f"{name}[{i}]", value[i], part) for i, part in enumerate(parts))
    elif NoneType in parts:
        value = None if value is None else checked(name, value, parts[0])
    elif annotation is not bool:
        value = number(name, value, annotation)
    return value


def number(name: str, value: Any, kind: Any) -> Any:
    """The value as one of Python's numbers, or as a read-only copy of an array of one for each run.

    kind: float, int or Hyperparameter. Raises ValueError for anything else.
    """
    if type(value) is int or (type(value) is float and kind is not int):
        return value
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            value = value[()]
        elif value.ndim == 1 and value.dtype.kind in "iuf" and kind == Hyperparameter:
            value = np.array(value, np.float64)
            value.flags.writeable = False
            return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating) and kind is not int:
        return float(value)
    one = "a whole number" if kind is int else "a number"
    runs = ", or an array with one for each run" if kind == Hyperparameter else ""
    raise ValueError(f"{name} must be {one}{runs}; got {value!r}")


def require_runs(values: Mapping[str, Any], shape: tuple[int, ...]) -> None:
    """Raises ValueError if a hyperparameter has values for other runs than the parameters have.

    values: the hyperparameters by name
    shape: of the parameters, (runs, n) where a hyperparameter is an array
    """
    for name, value in values.items():
        for part in value if isinstance(value, tuple) else [value]:
            if isinstance(part, np.ndarray) and (len(shape) != 2 or len(part) != shape[0]):
                raise ValueError(
                    f"{name} has values for {len(part)} runs, but the parameters, which must be "
                    f"(runs, n), have the shape {shape}"
                )


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
