"""variants.csv: every variant of every optimizer that was compared with torch's."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from stages.task.files import reading, write_csv


@dataclass(frozen=True)
class Variant:
    """An optimizer with some hyperparameters, compared with torch's at every step.

    variant: its hyperparameters, as a text
    ulp_ieee, ulp_native: the largest difference in units in the last place, with the arithmetic of
        IEEE 754 and with torch's own kernels; the former None where there is no reference, the
        latter also where one side diverges and the other does not
    first_difference: the first step at which it differs with the former, 0 if it never does
    """

    optimizer: str
    variant: str
    ulp_ieee: int | None
    ulp_native: int | None
    first_difference: int | None


COLUMNS = tuple(field.name for field in fields(Variant))


def write_variants(path: Path, variants: Iterable[Variant]) -> None:
    """Writes a line for each variant; None becomes an empty field."""
    write_csv(path, [COLUMNS, *map(astuple, variants)])


def read_variants(path: Path) -> list[Variant]:
    """Reads the variants in the order of the file. Raises InputError if it is damaged."""
    with reading(path), path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
        if tuple(names) != COLUMNS:
            raise ValueError(f"its columns must be {', '.join(COLUMNS)}")
        if not rows:
            raise ValueError("it has no variants")
        return [
            Variant(optimizer, variant, *(int(number) if number else None for number in numbers))
            for optimizer, variant, *numbers in rows
        ]
