"""Columns as they come from a source, and the table of numbers and classes that they become."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stages.samples.cells import CellError, Cells, Numbers, Reader
from stages.samples.labels import Labels, is_number
from stages.task.errors import InputError, shown
from stages.task.source import Notation
from stages.task.table import Table

OF_CLASSES = "; for a target of classes choose loss cross_entropy"
OF_CATEGORIES = "; data.categories makes a column of each of its texts"

Block = tuple[Sequence[int], Mapping[str, Cells]]


@dataclass(frozen=True)
class Columns:
    """Columns as they come from a source.

    features, target: their names
    blocks: some rows at a time, so that the texts of a large table need not all be in memory: what
        the source calls each row, a number; and the cells by column, text, numbers or None
    source: the file they come from
    row: what the source calls a row
    notation: how a table is to be read, None for a generator
    """

    features: Sequence[str]
    target: str
    blocks: Iterable[Block]
    source: str
    row: Literal["line", "row"]
    notation: Notation | None = None

    def wrong(self, row: int, column: str, words: object) -> InputError:
        """The error that says what is wrong with a cell."""
        return InputError(f"{self.source}: {self.row} {row}, column {column}: {words}")


def make_table(columns: Columns, loss: str) -> Table:
    """The table of samples: every column numbers, but for cross_entropy the target classes.

    Raises InputError that names the first cell that is not what it should be.
    """
    notation, target_name = columns.notation or Notation(), columns.target
    reader = Reader(columns.notation)
    # No target is made up: a sample without one is dropped or refused.
    of_target = Reader(columns.notation, fills=False)
    read: dict[str, Callable[[Cells], Numbers]] = dict.fromkeys(
        columns.features, partial(reader.numbers, advice=OF_CATEGORIES if columns.notation else "")
    )
    for name, form in notation.dates.items():
        read[name] = partial(reader.dates, form=form)
    labels = {name: Labels(reader, "category") for name in notation.categories}
    if loss == "cross_entropy":
        labels[target_name] = Labels(of_target, "class")
    read[target_name] = partial(of_target.numbers, advice=OF_CLASSES)
    for name, each in labels.items():
        read[name] = each.read
    rows, features, target = _read_all(columns, read, notation.missing == "drop")
    if len(rows) < 2:
        raise InputError(
            f"{columns.source}: must have at least two samples, one to train on and one to test "
            f"on, got {len(rows)}"
        )
    names = {}
    for name, each in labels.items():
        codes = target if name == target_name else features[:, columns.features.index(name)]
        try:
            names[name] = each.sort(codes)
        except CellError as error:
            raise columns.wrong(rows[error.index], name, error) from None
    fill = notation.missing if notation.missing in ("mean", "median") else None
    if (classes := names.pop(target_name, None)) is None:
        return Table(features, target, columns.features, target_name, None, names, fill)
    indices = target.astype(np.int64)
    _check_classes(columns, rows, indices, classes)
    return Table(features, indices, columns.features, target_name, classes, names, fill)


def _read_all(
    columns: Columns, read: Mapping[str, Callable[[Cells], Numbers]], drop: bool
) -> tuple[NDArray[np.int64], Numbers, Numbers]:
    """The rows that are kept, (samples,), their features, (samples, features), and their target."""
    names = [*columns.features, columns.target]
    # An empty part first, for a table without rows.
    parts = [(np.empty(0, np.int64), np.empty((0, len(columns.features))), np.empty(0))]
    dropped = 0
    for numbers, cells in columns.blocks:
        arrays, wrong = [], []
        for name in names:
            try:
                arrays.append(read[name](cells[name]))
            except CellError as error:
                wrong.append((error.index, name, str(error)))
        if wrong:
            index, name, words = min(wrong, key=lambda each: each[0])
            raise columns.wrong(numbers[index], name, words)
        *matrix, target = arrays
        part = np.asarray(numbers, np.int64), np.stack(matrix, axis=1), target
        if drop:
            kept = ~(np.isnan(part[1]).any(axis=1) | np.isnan(target))
            dropped += int((~kept).sum())
            part = part[0][kept], part[1][kept], part[2][kept]
        parts.append(part)
    if dropped:
        print(f"{columns.source}: {dropped} samples that lack a value are dropped")
    rows, features, targets = (np.concatenate(each) for each in zip(*parts, strict=True))
    return rows, features, targets


def _check_classes(
    columns: Columns, rows: NDArray[np.int64], target: NDArray[np.int64], classes: Sequence[str]
) -> None:
    """Raises InputError unless there are two classes and each has two samples."""
    if len(classes) < 2:
        raise InputError(
            f"{columns.source}: column {columns.target}: must have at least two classes, "
            f"got only {shown(classes[0])}"
        )
    single = np.flatnonzero(np.bincount(target)[target] == 1)
    if len(single):
        advice = "; for a target of measured numbers choose loss half_mse"
        raise columns.wrong(
            rows[single[0]],
            columns.target,
            f"is the only sample of class {shown(classes[target[single[0]]])}; a class needs one "
            f"to train on and one to test on{advice if all(map(is_number, classes)) else ''}",
        )
