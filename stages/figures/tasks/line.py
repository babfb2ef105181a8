"""Straight lines: the one that was learned, the best one, and the one that made the samples."""

from typing import NamedTuple

import numpy as np

from stages.figures.numbers import written
from stages.figures.tasks.learned import Array, Learned
from stages.task.source import Generator, OwnTable
from stages.task.table import Table
from stages.task.values import parsed


class Line(NamedTuple):
    """y = slope·x + intercept."""

    slope: float
    intercept: float

    def __str__(self) -> str:
        sign = "−" if self.intercept < 0 else "+"
        slope = written(self.slope, 4).replace("-", "−")
        return f"{slope} x {sign} {written(abs(self.intercept), 4)}"

    def at(self, x: Array) -> Array:
        """(samples,) the heights of the line."""
        return self.slope * x + self.intercept


def learned_line(twin: Learned) -> Line | None:
    """What a model of one feature with two parameters has learned, in the target's own units.

    None where that is no line, and where it has diverged.
    """
    x = np.array([0.0, 1.0, -1.0, 7.0])
    y = twin.outputs(x[:, None], [len(twin.steps) - 1])[0, :, 0]
    line = Line(float(y[1] - y[0]), float(y[0]))
    return line if np.allclose(line.at(x), y, rtol=1e-9, atol=1e-9 * np.abs(y).max()) else None


def least_squares(table: Table) -> Line | None:
    """The line with the least mean of squared residuals, in closed form.

    None where all samples have one x, or where numbers are too large to be squared.
    """
    x, y = table.features[:, 0], table.target
    with np.errstate(all="ignore"):
        centred = x - x.mean()
        slope = float(centred @ (y - y.mean()) / (centred @ centred))
        intercept = float(y.mean() - slope * x.mean())
    return Line(slope, intercept) if np.isfinite([slope, intercept]).all() else None


def configured_line(data: Generator | OwnTable) -> Line | None:
    """The line of a generator with the options `slope` and `intercept`; None if it has none."""
    if not isinstance(data, Generator):
        return None
    numbers = []
    for name in Line._fields:
        value = parsed(data.options.get(name))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        numbers.append(float(value))
    return Line(*numbers)
