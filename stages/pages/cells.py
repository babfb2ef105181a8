"""Tables of a page, with numbers that are short to read and exact to sort by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stages.figures.numbers import written

Value = float | int | str | None

LONG = 100_000  # larger integers are shortened


@dataclass(frozen=True)
class Cell:
    """What a table shows of a value.

    text: to read; None where there is no value
    exact: all digits of a number; None for a text
    fill, ink: its own colours, if it has any
    """

    text: str | None
    exact: str | None = None
    fill: str | None = None
    ink: str | None = None


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each of its columns; the first one names the rows."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def is_numeric(self, column: int) -> bool:
        """Whether a column has a number, or nothing at all."""
        cells = [row[column] for row in self.rows]
        return any(cell.exact for cell in cells) or not any(cell.text for cell in cells)


def cell(value: Value) -> Cell:
    """The cell of a value: three digits of a float, two of a large integer."""
    match value:
        case None | str():
            return Cell(value)
        case int() if abs(value) < LONG:
            return Cell(str(value), str(value))
    return Cell(written(value, 3 if isinstance(value, float) else 2), repr(value))


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]) -> Table:
    """A table of values."""
    return Table(caption, columns, [[cell(value) for value in row] for row in rows])


def rows_of(value: object, *keys: str) -> Iterator[tuple[str, str]]:
    """Every value in nested dictionaries by its dotted key, as `in_a_line` writes it.

    A list of dictionaries has a line for each of them.
    """
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from rows_of(inner, *keys, str(key))
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for index, inner in enumerate(value):
            yield ".".join(keys) + f"[{index}]", in_a_line(inner)
    else:
        yield ".".join(keys), in_a_line(value)


def in_a_line(value: object) -> str:
    """A value in a line: `lr 0.1, betas [0.9, 0.99]`."""
    match value:
        case dict():
            return ", ".join(f"{key} {in_a_line(inner)}" for key, inner in value.items()) or "{}"
        case list() | tuple():
            return f"[{', '.join(map(in_a_line, value))}]"
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def setting_in_a_line(setting: Mapping[str, object]) -> str:
    """A setting of hyperparameters in a line, numbers with three digits."""
    return in_a_line(
        {
            name: written(value, 3) if isinstance(value, float) else value
            for name, value in setting.items()
        }
    )
