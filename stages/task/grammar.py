"""A sweep of a task: which optimizers train with which hyperparameters, and from how many seeds.

    lr: 0.1                               one value for all runs
    lr: [0.01, 0.1]                       each of these
    lr: {log: [0.001, 1], points: 7}      evenly spaced by their logarithms; linear: by themselves
    lr: {loguniform: [0.001, 1]}          drawn anew for each of `draws`; also uniform, and choice

Without `draws` an optimizer trains with all combinations of its values. Of a hyperparameter that is
a pair, such as betas, each part may be any of these. An optimizer without hyperparameters takes the
learning rates of the section `learning_rates`.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator

from stages.task.errors import shown, unknown
from stages.task.hyperparameters import TRAINS_NETWORKS
from stages.task.optimizers import Hyperparameters, Own
from stages.task.section import Mistake, Section, wrong
from stages.task.values import Count, parsed, whole

Values = NDArray[Any]
Draw = Callable[[np.random.Generator, int], Values]
KINDS = {kind.__name__.lower(): kind for kind in TRAINS_NETWORKS if kind.scope == "element"}
MOST_RUNS = 10**8  # of a sweep, of which each takes some 300 bytes: 30 GB
NO_AXES = {"class", "reference", "draws"}
GRIDS: dict[str, Callable[..., Values]] = {"linear": np.linspace, "log": np.geomspace}


@dataclass(frozen=True)
class Axis:
    """The values of one hyperparameter: a grid, or how to draw them, or both.

    points: of the grid; None where there is none
    ends: if these are valid, so are all
    """

    points: int | None
    grid: Callable[[], Values] | None
    draw: Draw | None
    ends: Sequence[Any]


@dataclass(frozen=True)
class Swept:
    """What one optimizer trains with.

    fixed: the hyperparameters that all runs share, by name
    axes: the others, "lr" or, for a part of a pair, "betas[0]"
    draws: how many points to draw, None for the grid of all combinations
    """

    kind: type[Hyperparameters]
    fixed: Mapping[str, Any]
    axes: Mapping[str, Axis]
    draws: int | None

    @property
    def size(self) -> int:
        """How many points there are."""
        grids = (axis.points for axis in self.axes.values() if axis.points is not None)
        return math.prod(grids) if self.draws is None else self.draws

    def points(self, random: np.random.Generator) -> dict[str, Values]:
        """The values of each axis, (points,): the combinations in order, the last axis fastest."""
        if self.draws is not None:
            return {
                name: axis.draw(random, self.draws)
                for name, axis in self.axes.items()
                if axis.draw is not None
            }
        grids = [axis.grid() for axis in self.axes.values() if axis.grid is not None]
        combinations = np.meshgrid(*grids, indexing="ij")
        return {
            name: values.reshape(-1) for name, values in zip(self.axes, combinations, strict=True)
        }


def with_parts(fixed: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters by name, "betas[0]" and "betas[1]" as the pair "betas"."""
    values, parts = dict(fixed), dict[str, list[Any]]()
    for name, value in point.items():
        pair, bracket, _ = name.partition("[")
        if bracket:
            parts.setdefault(pair, []).append(value)
        else:
            values[name] = value
    return values | {name: tuple(part) for name, part in parts.items()}


def _axis(value: object) -> Axis:
    """Raises ValueError that says what is expected."""
    if isinstance(value, list):
        return _choices(value)
    if not isinstance(value, dict):
        return _choices([value])
    names = [name for name in ("linear", "log", "uniform", "loguniform", "choice") if name in value]
    expected = {names[0], "points"} if names and names[0] in GRIDS else set(names[:1])
    if len(names) != 1 or set(value) != expected:
        raise ValueError(
            "must be a number, a list, {linear: [from, to], points: n} or log, or, with draws, "
            f"{{uniform: [from, to]}}, loguniform or choice; got {shown(value)}"
        )
    (name,) = names
    ends: list[Any] = [parsed(end) for end in value[name]] if isinstance(value[name], list) else []
    if name == "choice":
        if not ends:
            raise ValueError(f"choice must be a list of values, got {shown(value[name])}")
        return _choices(ends)
    if len(ends) != 2 or not all(map(_is_finite, ends)) or not ends[0] < ends[1]:
        raise ValueError(f"{name} must be two numbers, from and to; got {shown(value[name])}")
    low, high = map(float, ends)
    if name.startswith("log") and low <= 0:
        raise ValueError(f"{name} must be from a number greater than 0, got {shown(ends[0])}")
    if name in GRIDS:
        points = _whole(value["points"], 2, "points ")
        return Axis(points, lambda: GRIDS[name](low, high, points), None, ends)
    if name == "uniform":
        return Axis(None, None, lambda random, count: random.uniform(low, high, count), ends)
    logarithms = math.log(low), math.log(high)
    return Axis(
        None,
        None,
        lambda random, count: np.exp(random.uniform(*logarithms, count)).clip(low, high),
        ends,
    )


def _choices(values: list[Any]) -> Axis:
    values = [parsed(value) for value in values]
    if not values:
        raise ValueError("must have at least one value, got []")
    if all(map(_is_finite, values)):
        array, ends = np.array(values, float), sorted({min(values), max(values)})
    else:
        values = [tuple(value) if isinstance(value, list) else value for value in values]
        array, ends = np.fromiter(values, object, len(values)), values
    return Axis(len(values), lambda: array, lambda random, count: random.choice(array, count), ends)


def _whole(value: object, least: int, name: str = "") -> int:
    value = whole(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}must be a whole number of at least {least}, got {shown(value)}")
    if value > MOST_RUNS:
        raise ValueError(f"{name}must be at most {MOST_RUNS}, got {shown(value)}")
    return value


def _is_finite(value: Any) -> bool:
    # No float is larger than the largest, and a whole number can be.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def _swept(name: str, section: object) -> Swept:
    """Raises ValidationError, each mistake at its key."""
    if not isinstance(section, dict) or not set(section) - NO_AXES:
        raise wrong(((), f"must be a section with hyperparameters, got {shown(section)}"))
    kind = Own if "class" in section else KINDS.get(name)
    if kind is None:
        raise wrong(((), f"{unknown('optimizer', name, KINDS)}; one of your own needs a class"))
    fixed = {key: value for key, value in section.items() if key in ("class", "reference")}
    axes, mistakes, draws = dict[str, Axis](), list[Mistake](), None
    try:
        draws = _whole(section["draws"], 1) if "draws" in section else None
    except ValueError as error:
        mistakes.append((("draws",), str(error)))
    for key, value in _parts(kind, section):
        try:
            axes[key] = _axis(value)
            if "draws" in section and axes[key].draw is None:
                raise ValueError(f"is a grid, and with draws it must be drawn; got {shown(value)}")
            if "draws" not in section and axes[key].grid is None:
                raise ValueError(f"needs draws, the number of points; got {shown(value)}")
        except ValueError as error:
            mistakes.append(((key,), str(error)))
    mistakes = mistakes or _invalid(kind, fixed, axes)
    if mistakes:
        raise wrong(*mistakes)
    return Swept(kind, fixed, axes, draws)


def _parts(kind: type[Hyperparameters], section: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """The values of each hyperparameter, and of each part of a pair."""
    for key, value in section.items():
        field = kind.model_fields.get(key)
        if key in NO_AXES:
            continue
        if field is not None and isinstance(field.default, tuple) and isinstance(value, list):
            yield from ((f"{key}[{number}]", part) for number, part in enumerate(value))
        else:
            yield str(key), value


def _invalid(
    kind: type[Hyperparameters], fixed: Mapping[str, Any], axes: Mapping[str, Axis]
) -> list[Mistake]:
    """What is wrong with the values: the first mistake at each key."""
    mistakes: dict[tuple[Any, ...], str] = {}
    for ends in product(*(axis.ends for axis in axes.values())):
        try:
            kind.model_validate(with_parts(fixed, dict(zip(axes, ends, strict=True))))
        except ValidationError as failure:
            for error in failure.errors(include_url=False):
                mistakes.setdefault(error["loc"], error["msg"])
    return list(mistakes.items())


def _read(value: object, keys: int | None = None) -> dict[str, Swept]:
    """What each optimizer trains with.

    keys: how many of the keys to a mistake the file has, all of them by default
    Raises ValueError, or ValidationError with each mistake at its key.
    """
    if not isinstance(value, dict) or not value:
        raise ValueError(f"must be a section with a key for each optimizer, got {shown(value)}")
    swept, mistakes = {}, []
    for name, section in value.items():
        try:
            swept[str(name)] = _swept(str(name), section)
        except ValidationError as failure:
            mistakes += [
                ((str(name), *error["loc"])[:keys], error["msg"])
                for error in failure.errors(include_url=False)
            ]
    if mistakes:
        raise wrong(*mistakes)
    return swept


def _checked_rates(value: object) -> object:
    """Raises ValueError, or ValidationError with each mistake at its key."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a section with a key for each optimizer, got {shown(value)}")
    _read({name: {"lr": rates} for name, rates in value.items()}, keys=1)
    return value


LearningRates = Annotated[
    dict[str, Any],
    BeforeValidator(_checked_rates),
    Field(description="a section with learning rates for each optimizer"),
]


def completed(sweep: Any, rates: Mapping[str, Any]) -> Any:
    """A sweep as params.yaml has it, with the learning rates that it leaves to `rates`.

    It sweeps all optimizers that these name, unless it names some itself.
    """
    if not isinstance(sweep, dict):
        return sweep
    given = sweep.get("optimizers", {name: {} for name in rates})
    if not isinstance(given, dict):
        return sweep
    optimizers = {
        name: {"lr": rates[name]} if section == {} and name in rates else section
        for name, section in given.items()
    }
    return sweep | {"optimizers": optimizers}


class Sweep(Section):
    """The trainings of a sweep: every point of every optimizer, from each of the seeds.

    seeds: how many, counted from training.seed on
    repeated: how many of the runs are repeated in torch
    """

    seeds: Count = 8
    repeated: Count = 8
    optimizers: dict[str, Any]

    @field_validator("optimizers", mode="before")
    @classmethod
    def _can_be_swept(cls, optimizers: object, info: ValidationInfo) -> object:
        for name, swept in _read(optimizers).items():
            runs = swept.size * info.data.get("seeds", 1)
            if runs > MOST_RUNS:
                raise wrong(((name,), f"must be at most {MOST_RUNS} trainings, got {shown(runs)}"))
        return optimizers

    @property
    def swept(self) -> dict[str, Swept]:
        """What each optimizer trains with."""
        return _read(self.optimizers)
