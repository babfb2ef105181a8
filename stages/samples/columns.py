"""Columns as they come from a source, and the table of numbers and classes that they become."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.errors import InputError, shown
from stages.task.table import Table

Cells = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """Columns as they come from a source: the features, then the target.

    cells: by the name of the column; text, numbers or None, `samples` in each
    source: the file they come from
    rows: what the source calls its first, second, ... sample: "line 2", "line 3", ...
    """

    cells: Mapping[str, Cells]
    source: str
    rows: Callable[[int], str]


def make_table(columns: Columns, loss: str) -> Table:
    """The table of samples: every column numbers, but for cross_entropy the target classes.

    Raises InputError that names the first cell that is neither.
    """
    *features, target = columns.cells
    if (samples := len(columns.cells[target])) < 2:
        raise InputError(
            f"{columns.source}: must have at least two samples, one to train on and one to test "
            f"on, got {samples}"
        )
    classify = loss == "cross_entropy"
    arrays = to_numbers(columns, features if classify else [*features, target])
    matrix = np.stack([arrays[name] for name in features], axis=1)
    if not classify:
        return Table(matrix, arrays[target], features, target)
    indices, classes = to_classes(columns, target)
    return Table(matrix, indices, features, target, classes)


def to_numbers(columns: Columns, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """The columns `names` as (samples,) float64, all of it finite."""
    arrays: dict[str, NDArray[np.float64]] = {}
    wrong = []
    *_, target = columns.cells
    for name in names:
        cells = columns.cells[name]
        try:
            array = np.asarray(cells, np.float64)
        except (TypeError, ValueError):
            array = np.array([math.nan])
        if not np.isfinite(array).all():
            # Not plain numbers: take them one by one, to know the first that is wrong.
            array = np.empty(len(cells))
            for row, cell in enumerate(cells):
                try:
                    array[row] = to_number(cell, is_target=name == target)
                except ValueError as error:
                    wrong.append((row, name, str(error)))
                    break
        arrays[name] = array
    if wrong:
        row, name, words = min(wrong, key=lambda first: first[0])
        raise InputError(f"{columns.source}: {columns.rows(row)}, column {name}: {words}")
    return arrays


def to_number(cell: object, is_target: bool) -> float:
    """The finite number in a cell; raises ValueError in words."""
    if is_missing(cell):
        raise ValueError("is missing; expected a number")
    truth = {"true": 1.0, "false": 0.0}.get(str(cell).strip().lower())
    if truth is not None:
        return truth
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        advice = "; for a target of classes choose loss cross_entropy" if is_target else ""
        raise ValueError(f"must be a number, got {shown(cell)}{advice}") from None
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, got {value}")
    return value


def to_classes(columns: Columns, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """The column `name` as indices of classes, (samples,) int64, and the label of each class.

    Classes are in the order of their numbers if all labels are numbers, else in that of the
    alphabet.
    """
    cells = columns.cells[name]
    for row, cell in enumerate(cells):
        if is_missing(cell) or is_infinite(cell):
            words = "is missing; expected a class" if is_missing(cell) else "must not be infinite"
            raise InputError(f"{columns.source}: {columns.rows(row)}, column {name}: {words}")
    labels: list[Any]
    try:
        labels = [to_label(cell) for cell in cells]
        advice = "; for a target of measured numbers choose loss half_mse"
    except ValueError:
        labels = [str(cell).strip() for cell in cells]
        advice = ""
    classes = sorted(set(labels))
    index = {label: position for position, label in enumerate(classes)}
    target = np.array([index[label] for label in labels], np.int64)
    if len(classes) < 2:
        raise InputError(
            f"{columns.source}: column {name}: must have at least two classes, "
            f"got only {shown(str(classes[0]))}"
        )
    single = np.flatnonzero(np.bincount(target)[target] == 1)
    if len(single):
        row = int(single[0])
        raise InputError(
            f"{columns.source}: {columns.rows(row)}, column {name}: is the only sample of class "
            f"{shown(str(labels[row]))}; a class needs one to train on and one to test on{advice}"
        )
    return target, [str(label) for label in classes]


def to_label(cell: object) -> int | float:
    """The number that a label stands for, an integer if whole; raises ValueError for a text."""
    if isinstance(cell, bool | np.bool_):
        raise ValueError("true and false are not numbers")
    try:
        return int(str(cell))  # exact, however large
    except ValueError:
        value = float(str(cell))
        return int(value) if value.is_integer() else value


def is_missing(cell: object) -> bool:
    """Whether a cell is empty, or what spreadsheets and pandas write where there is no value."""
    return cell is None or str(cell).strip().lower() in MISSING


def is_infinite(cell: object) -> bool:
    """Whether a cell is an infinite number, or the text of one."""
    return str(cell).strip().lower() in INFINITE


INFINITE = frozenset(sign + text for sign in ("", "+", "-") for text in ("inf", "infinity"))
MISSING = frozenset(["", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "<na>"])
