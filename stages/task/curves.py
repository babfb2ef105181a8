"""sweep.csv: what became of each point of a sweep, over its seeds."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stages.task.files import reading, write_csv

# Median and quartiles of the loss, empty where infinite, and the share of runs that diverged.
MEASURES = ("train_loss", "lower", "upper", "diverged")


def write_curves(path: Path, axes: Sequence[str], points: Iterable[Sequence[Any]]) -> None:
    """Writes a line for each point: its optimizer, its value on each axis, and the measures."""
    write_csv(path, [["optimizer", *axes, *MEASURES], *points])


def read_curves(path: Path) -> list[dict[str, str]]:
    """Reads the points in the order of the file, each by column as it is written there.

    Raises InputError if the file is damaged, OSError if it cannot be read.
    """
    with reading(path), path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
        points = [dict(zip(names, row, strict=True)) for row in rows]
        if not points or not {"optimizer", *MEASURES} <= points[0].keys():
            raise ValueError("it has no points")
        for point in points:
            for measure in MEASURES:
                float(point[measure] or "inf")
        return points
