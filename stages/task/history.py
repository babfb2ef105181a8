"""Columns of numbers by epoch or step, as CSV."""

import csv
import math
from pathlib import Path

History = dict[str, list[float]]


def write_history(path: Path, history: History) -> None:
    """Writes the columns of a history as CSV; a value that is not finite becomes an empty field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(history)
        for row in zip(*history.values(), strict=True):
            writer.writerow([repr(value) if math.isfinite(value) else "" for value in row])


def read_history(path: Path) -> History:
    """Reads the columns of a history; an empty field becomes NaN."""
    with path.open(newline="") as file:
        names, *rows = csv.reader(file)
    columns = zip(*rows, strict=True)
    return {
        name: [float(value) if value else math.nan for value in column]
        for name, column in zip(names, columns, strict=True)
    }
