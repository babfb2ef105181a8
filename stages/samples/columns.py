"""Columns as they come from a source, and the table of numbers and classes that they become."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

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
    group: the column that says which samples a split must not part
    targets: the columns of a target that has several
    """

    features: Sequence[str]
    target: str
    blocks: Iterable[Block]
    source: str
    row: Literal["line", "row"]
    notation: Notation | None = None
    group: str | None = None
    targets: Sequence[str] = ()

    def wrong(self, row: int, column: str, words: object) -> InputError:
        """The error that says what is wrong with a cell."""
        return InputError(f"{self.source}: {self.row} {row}, column {column}: {words}")


def make_table(columns: Columns, classifies: bool) -> Table:
    """The table of samples: every column numbers, or classes of the target.

    Raises InputError that names the first cell that is not what it should be.
    """
    notation, targets = columns.notation or Notation(), columns.targets or [columns.target]
    reader = Reader(columns.notation)
    # No target is made up: a sample without one is dropped or refused.
    of_target = Reader(columns.notation, fills=False)
    # Features first, in their order: assigning to one leaves it in its place.
    read: dict[str, Callable[[Cells], Numbers]] = dict.fromkeys(
        columns.features, partial(reader.numbers, advice=OF_CATEGORIES if columns.notation else "")
    )
    for name, form in notation.dates.items():
        read[name] = partial(reader.dates, form=form)
    labels = {name: Labels(reader, "category") for name in notation.categories}
    if columns.group is not None:
        labels[columns.group] = Labels(of_target, "group")
    of_classes = Labels(of_target, "class") if classifies else None
    to_target = of_classes.read if of_classes else partial(of_target.numbers, advice=OF_CLASSES)
    read |= dict.fromkeys(targets, to_target)
    for name, each in labels.items():
        read[name] = each.read
    rows, values = _read_all(columns, read, notation.missing == "drop")
    if len(rows) < 2:
        raise InputError(
            f"{columns.source}: must have at least two samples, one to train on and one to test "
            f"on, got {len(rows)}"
        )
    position, names = {name: index for index, name in enumerate(read)}, {}
    for name, each in labels.items():
        try:
            names[name] = each.sort(values[:, position[name]])
        except CellError as error:
            raise columns.wrong(rows[error.index], name, error) from None
    # Sample by sample, so that the first that is wrong is found first.
    target: NDArray[Any] = values[:, [position[name] for name in targets]].flatten()
    classes = single = None
    if of_classes is not None:

        def wrong(error: CellError) -> InputError:
            row, at = divmod(error.index, len(targets))
            return columns.wrong(rows[row], targets[at], error)

        try:
            classes = of_classes.sort(target)
        except CellError as error:
            raise wrong(error) from None
        target = target.astype(np.int64)
        if (alone := _single(columns, target, classes)) is not None:
            single = str(wrong(alone))
    groups = None
    if columns.group is not None:
        groups = values[:, position[columns.group]].astype(np.int64)
        del names[columns.group]
    return Table(
        values[:, : len(columns.features)],
        target.reshape(-1, len(targets)) if len(targets) > 1 else target,
        columns.features,
        columns.target,
        classes,
        names,
        notation.missing if notation.missing in ("mean", "median") else None,
        groups=groups,
        single=single,
    )


def _read_all(
    columns: Columns, read: Mapping[str, Callable[[Cells], Numbers]], drop: bool
) -> tuple[NDArray[np.int64], Numbers]:
    """The rows that are kept, (samples,), and what is read of them, (samples, columns)."""
    # An empty part first, for a table without rows.
    parts = [(np.empty(0, np.int64), np.empty((0, len(read))))]
    dropped = 0
    for numbers, cells in columns.blocks:
        arrays, wrong = [], []
        for name, to_numbers in read.items():
            try:
                arrays.append(to_numbers(cells[name]))
            except CellError as error:
                wrong.append((error.index, name, str(error)))
        if wrong:
            index, name, words = min(wrong, key=lambda each: each[0])
            raise columns.wrong(numbers[index], name, words)
        rows, values = np.asarray(numbers, np.int64), np.stack(arrays, axis=1)
        if drop:
            kept = ~np.isnan(values).any(axis=1)
            dropped += int((~kept).sum())
            rows, values = rows[kept], values[kept]
        parts.append((rows, values))
    if dropped:
        print(f"{columns.source}: {dropped} samples that lack a value are dropped")
    rows, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    return rows, values


def _single(
    columns: Columns, target: NDArray[np.int64], classes: Sequence[str]
) -> CellError | None:
    """The first sample that is the only one of its class: it cannot both train and test.

    Raises InputError unless there are two classes.
    """
    if len(classes) < 2:
        raise InputError(
            f"{columns.source}: column {columns.target}: must have at least two classes, "
            f"got only {shown(classes[0])}"
        )
    single = np.flatnonzero(np.bincount(target)[target] == 1)
    if not len(single):
        return None
    advice = "; for a target of measured numbers choose loss half_mse"
    return CellError(
        int(single[0]),
        f"is the only sample of class {shown(classes[target[single[0]]])}; a class needs one "
        f"to train on and one to test on{advice if all(map(is_number, classes)) else ''}",
    )
