"""sweep.csv: what became of each point of a sweep, over its seeds."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Median and quartiles of the loss, empty where infinite, and the share of runs that diverged.
MEASURES = ("train_loss", "lower", "upper", "diverged")


def write_curves(path: Path, axes: Sequence[str], points: Iterable[Sequence[Any]]) -> None:
    """Writes a line for each point: its optimizer, its value on each axis, and the measures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["optimizer", *axes, *MEASURES])
        writer.writerows(points)


def read_curves(path: Path) -> list[dict[str, str]]:
    """Reads the points in the order of the file, each by column as it is written there."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
