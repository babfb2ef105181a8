"""Where the values of a hyperparameter lie along an axis, and what is written there."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stages.figures.numbers import written

Array = NDArray[Any]

RANKS = 8  # the most that are written along an axis


@dataclass(frozen=True)
class Scale:
    """The values of an axis, placed by their logarithms, by themselves, or by their ranks.

    values: all of them, ascending, without repeats
    """

    values: Array
    by: Literal["logarithm", "value", "rank"]

    def places(self, values: Array) -> Array:
        """Where some of the values lie."""
        if self.by == "rank":
            return np.searchsorted(self.values, values)
        return np.log10(values) if self.by == "logarithm" else values

    def bounds(self) -> Array:
        """Halfway between the places, and as far beyond the first and the last of them."""
        places = self.places(self.values)
        halves = np.diff(places) / 2 if len(places) > 1 else np.array([0.5])
        ends = places[0] - halves[0], places[-1] + halves[-1]
        return np.concatenate([ends[:1], (places[:-1] + places[1:]) / 2, ends[1:]])

    def ticks(self, low: float, high: float) -> tuple[Array, list[str]]:
        """A few places from low to high, and their labels."""
        if self.by == "rank":
            places = np.arange(0, len(self.values), -(-len(self.values) // RANKS))
            return places, [written(float(value), 3) for value in self.values[places]]
        if self.by == "value":
            places = _between(low, high)
            return places, [written(float(place), 10) for place in places]
        values = powers(10**low, 10**high)
        return np.log10(values), [written(float(value)) for value in values]


def scale_of(values: Array) -> Scale:
    """By logarithm where the median shows that the values are spread that way."""
    values = np.unique(values)
    low, high = float(values[0]), float(values[-1])
    if low > 0 and high >= 8 * low:
        middle = math.exp(np.median(np.log(values)))
        if middle < (math.sqrt(low * high) + (low + high) / 2) / 2:
            return Scale(values, "logarithm")
    return Scale(values, "value")


def scale_of_cells(values: Array) -> Scale:
    """By rank where every value can be labelled, or where cells would differ much in size."""
    scale = scale_of(values)
    steps = np.diff(scale.places(scale.values))
    if len(steps) < RANKS or steps.max() > 1.5 * steps.min():
        return Scale(scale.values, "rank")
    return scale


def powers(low: float, high: float) -> Array:
    """A few powers of ten from low to high, or numbers in between if these are close."""
    decades = math.log10(high) - math.log10(low)
    if decades < 0.6:
        return _between(low, high)
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    apart = next(n for n in (1, 2, 3, 5, 10, 20, 50, 100, 200) if last - first < 5 * n)
    exponents = np.arange(first - 1, last + 1)
    steps = np.array([1] if decades > 2.5 else [1, 3] if decades > 1.2 else [1, 2, 5])
    ticks = np.outer(10.0 ** exponents[exponents % apart == 0], steps).ravel()
    return ticks[(ticks >= low) & (ticks <= high)]


def _between(low: float, high: float) -> Array:
    """A few round numbers from low to high."""
    if low == high:
        return np.array([low])
    ticks = np.array(MaxNLocator(4).tick_values(low, high))
    return ticks[(ticks >= low) & (ticks <= high)]
