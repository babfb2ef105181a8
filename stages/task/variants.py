"""variants.csv: every variant of every optimizer that was compared with torch's."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(astuple, variants))


def read_variants(path: Path) -> list[Variant]:
    """Reads the variants in the order of the file."""
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return [
        Variant(optimizer, variant, *(int(number) if number else None for number in numbers))
        for optimizer, variant, *numbers in rows
    ]
