"""Cells as they come from a source, and the numbers and dates that they stand for."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.errors import shown
from stages.task.source import Notation

Cells = Sequence[Any] | NDArray[Any]
Numbers = NDArray[np.float64]

TRUTH = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CellError(Exception):
    """What is wrong with a cell, the one at `index` of those that were read."""

    def __init__(self, index: int, words: object) -> None:
        super().__init__(str(words))
        self.index = index


class Reader:
    """Reads the cells of columns, each in the way that a notation says.

    A value that is missing becomes NaN where it will be dropped or filled in, else it is refused.

    notation: None where the cells come from a generator, which has no options to advise
    fills: whether `missing` may fill in values here; it never makes up a target
    """

    def __init__(self, notation: Notation | None, fills: bool = True) -> None:
        self._advises, self._fills = notation is not None, fills
        self._notation = notation = notation or Notation()
        self._may_be_missing = notation.missing in ("drop", *(["mean", "median"] if fills else []))
        self._texts = frozenset(text.strip().lower() for text in notation.missing_values)
        self._numbers = [
            number for number in map(_float, notation.missing_values) if math.isfinite(number)
        ]
        decimal, thousands = re.escape(notation.decimal), re.escape(notation.thousands or "")
        self._grouped = re.compile(rf"\d{{1,3}}(?:{thousands}\d{{3}})+(?:{decimal}.*)?")

    def numbers(self, cells: Cells, advice: str = "") -> Numbers:
        """The numbers in cells, (cells,) float64; true and yes are 1, false and no are 0.

        advice: what to say of a text that no option would read as a number
        Raises CellError at the first cell without a finite number.
        """
        array = self._plain(cells)
        return array if array is not None else _each(cells, lambda cell: self._number(cell, advice))

    def dates(self, cells: Cells, form: str) -> Numbers:
        """The days from 1970-01-01 to dates, (cells,) float64, the time of day as a fraction.

        form: their format as for strptime, or iso
        Raises CellError at the first cell without such a date.
        """
        known: dict[str, float] = {}  # a table has many rows of one date

        def days(cell: object) -> float:
            if self.is_missing(cell):
                return self.missing("a date")
            text = str(cell).strip()
            if text not in known:
                known[text] = _days(text, form)
            return known[text]

        return _each(cells, days)

    def is_missing(self, cell: object) -> bool:
        """Whether a cell is empty, or holds what stands for no value."""
        if cell is None:
            return True
        text = str(cell).strip().lower()
        return (
            not text
            or text in self._texts
            or (isinstance(cell, float | np.floating) and np.isnan(cell))
        )

    def missing(self, expected: str) -> float:
        """NaN in the place of what is missing; raises ValueError where that is refused."""
        if not self._may_be_missing:
            words = f"is missing; expected {expected}"
            if self._advises:
                words += "; data.missing: drop leaves such samples out"
                words += ", mean and median fill them in" if self._fills else ""
            raise ValueError(words)
        return math.nan

    def _plain(self, cells: Cells) -> Numbers | None:
        """The numbers, if all are plain ones; this takes a tenth of the time."""
        notation = self._notation
        try:
            if not isinstance(cells, np.ndarray) and len(cells) and isinstance(cells[0], str):
                text = "".join(cells)
                if "_" in text:  # Python's sign for thousands is not a table's
                    return None
                if notation.decimal == ",":
                    if "." in text:
                        return None
                    cells = [cell.replace(",", ".") for cell in cells]
            elif len(cells) and isinstance(cells[0], bytes):  # which NumPy would read as text
                return None
            array = np.asarray(cells, np.float64)
        except (TypeError, ValueError):
            return None
        # Of a column of lists, the shape is another.
        plain = array.shape == (len(cells),) and np.isfinite(array).all()
        return array if plain and not np.isin(array, self._numbers).any() else None

    def _number(self, cell: object, advice: str) -> float:
        if self.is_missing(cell):
            return self.missing("a number")
        text = str(cell).strip()
        if (truth := TRUTH.get(text.lower())) is not None:
            return truth
        value = math.nan
        if isinstance(cell, str):
            value = self._parsed(text)
        elif isinstance(cell, int | float | Decimal | np.number):
            value = float(text)
        if math.isnan(value):
            option = self._advises and _option_for(text)
            raise ValueError(f"must be a number, got {shown(cell)}{option or advice}")
        if math.isinf(value):
            raise ValueError(f"must be a finite number, got {value}")
        return self.missing("a number") if value in self._numbers else value

    def _parsed(self, text: str) -> float:
        """The number that a text is, in the notation; NaN if it is none."""
        sign, text = (text[0], text[1:].strip()) if text[0] in "+-" else ("", text)
        for unit in self._notation.units:
            text = text.removeprefix(unit).removesuffix(unit).strip()
        decimal, thousands = self._notation.decimal, self._notation.thousands
        if thousands and thousands in text:
            if not self._grouped.fullmatch(text):
                return math.nan
            text = text.replace(thousands, "")
        if decimal != ".":
            if "." in text:
                return math.nan
            text = text.replace(decimal, ".")
        return _float(sign + text)


def _each(cells: Cells, read: Callable[[object], float]) -> Numbers:
    array = np.empty(len(cells))
    for index, cell in enumerate(cells):
        try:
            array[index] = read(cell)
        except ValueError as error:
            raise CellError(index, error) from None
    return array


def _float(text: str) -> float:
    """The number in a text, NaN if there is none."""
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _days(text: str, form: str) -> float:
    try:
        moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)
    except ValueError:
        wanted = "ISO 8601, such as 2020-12-31" if form == "iso" else form
        raise ValueError(f"must be a date as {wanted}, got {shown(text)}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH).total_seconds() / 86400


# What a text that is no number may be, and the option of `data` that reads it.
_NUMBER, _SYMBOL = r"\d[\d.,]*", r"[^\w\s.,;:/-]{1,3}"
_OPTIONS = {
    r"\d{1,3},\d{3}": "data.decimal ',' reads it as a fraction, data.thousands ',' as a whole",
    r"\d{1,3}(,\d{3})+(\.\d*)?": "data.thousands ',' reads it",
    r"\d*,\d*": "data.decimal ',' reads it",
    r"\d{1,3}(\.\d{3})+(,\d*)?": "data.thousands '.' with data.decimal ',' reads it",
    r"\d{1,3}([ '’]\d{3})+([.,]\d*)?": "data.thousands reads it",
    r"\d{4}-\d\d-\d\d.*|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}": "data.dates reads it as a date",
    rf"{_SYMBOL} ?{_NUMBER}|{_NUMBER} ?({_SYMBOL}|[^\W\d]{{1,3}})": "data.units takes off the unit",
    r"[^\w\s]+": "data.missing_values can say that it stands for no value",
}


def _option_for(text: str) -> str:
    bare = text.removeprefix("-") or text
    options = (option for form, option in _OPTIONS.items() if re.fullmatch(form, bare))
    return next((f"; {option}" for option in options), "")
