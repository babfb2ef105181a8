"""The distinct labels of a column: classes of a target, categories of a feature."""

import math
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal, InvalidOperation

import numpy as np

from stages.samples.cells import CellError, Cells, Numbers, Reader
from stages.task.errors import shown

ONE = str | int | float | Decimal | date | time | np.generic  # one value, and not a list of some
INFINITE = frozenset(sign + text for sign in ("", "+", "-") for text in ("inf", "infinity"))


class Labels:
    """Numbers the labels of a column in the order in which they come, then sorts them.

    kind: what a label is called, a class or a category
    """

    def __init__(self, reader: Reader, kind: str) -> None:
        self._reader, self._kind = reader, kind
        self._codes: dict[str, int] = {}

    def read(self, cells: Cells) -> Numbers:
        """The numbers of the labels in cells, (cells,) float64, NaN where one is missing.

        Raises CellError at the first cell that holds no label.
        """
        codes = np.empty(len(cells))
        for index, cell in enumerate(cells):
            text = str(cell).strip()
            code = self._codes.get(text) if isinstance(cell, ONE) else None
            codes[index] = self._new(cell, text, index) if code is None else code
        return codes

    def sort(self, codes: Numbers) -> list[str]:
        """The labels in order; puts the place of its label for each number that `read` gave.

        They are in the order of their numbers if all labels are numbers, else in that of the
        alphabet. Numbers are told apart exactly, whatever their notation: 1.0 is 1, and 2**53 + 1
        is not 2**53. A label that none of the codes stands for is left out.

        codes: (samples,) float64, NaN for a missing label, which stays
        Raises CellError at the first that is infinite.
        """
        present = ~np.isnan(codes)
        used, first = np.unique(codes[present], return_index=True)
        texts = [text for text, code in self._codes.items() if code in set(used.tolist())]
        labels: Sequence[Decimal | str] = texts
        try:
            labels = [_decimal(text) for text in texts]
            infinite = [math.isinf(float(number)) for number in labels]
        except InvalidOperation:
            infinite = [text.lower() in INFINITE for text in texts]
        if any(infinite):
            index = np.flatnonzero(present)[first[infinite]].min()
            raise CellError(int(index), "must not be infinite")
        distinct = sorted(set(labels))
        place = {label: index for index, label in enumerate(distinct)}
        places = np.array([place[label] for label in labels])
        codes[present] = places[np.searchsorted(used, codes[present])]
        return [label if isinstance(label, str) else _written(label) for label in distinct]

    def _new(self, cell: object, text: str, index: int) -> float:
        try:
            if self._reader.is_missing(cell):
                return self._reader.missing(f"a {self._kind}")
        except ValueError as error:
            raise CellError(index, error) from None
        if not isinstance(cell, ONE):
            raise CellError(index, f"must be a {self._kind}, a text or a number; got {shown(cell)}")
        return self._codes.setdefault(text, len(self._codes))


def _decimal(text: str) -> Decimal:
    """The exact number that a text is; raises InvalidOperation for one that is none."""
    if "_" in text:
        raise InvalidOperation
    number = Decimal(text)
    if number.is_nan():
        raise InvalidOperation
    return number


def is_number(text: str) -> bool:
    """Whether a label is a number."""
    try:
        _decimal(text)
    except InvalidOperation:
        return False
    return True


def _written(number: Decimal) -> str:
    """An integer if whole, else as Python writes the float if that is the number."""
    if number == number.to_integral_value():
        return str(int(number))
    near = float(number)
    return str(near) if Decimal(str(near)) == number else str(number)
