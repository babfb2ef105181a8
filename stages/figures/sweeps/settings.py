"""What a sweep found, as its pictures show it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.curves import MEASURES, read_curves

Array = NDArray[Any]

LEARNING_RATE = "lr"
HUGE = 1e300  # as good as infinite


@dataclass(frozen=True, eq=False)
class Settings:
    """The settings of one optimizer that differ only in numbers, each trained from every seed.

    fixed: the hyperparameters that all share, as text
    axes: the others, (settings,) each
    loss, lower, upper: (settings,) median and quartiles over the seeds, infinite where too many
        trainings diverged
    diverged: (settings,) the share of trainings that diverged
    """

    optimizer: str
    fixed: Mapping[str, str]
    axes: Mapping[str, Array]
    loss: Array
    lower: Array
    upper: Array
    diverged: Array

    @property
    def best(self) -> int | None:
        """The setting with the smallest median, None where every median is infinite."""
        place = int(np.argmin(self.loss))
        return place if math.isfinite(self.loss[place]) else None

    @property
    def along(self) -> str | None:
        """The hyperparameter that the loss is drawn by; None where nothing differs."""
        return LEARNING_RATE if LEARNING_RATE in self.axes else next(iter(self.axes), None)

    @property
    def x(self) -> Array:
        """(settings,) the values of `along`, all 0 where nothing differs."""
        return self.axes[self.along] if self.along else np.zeros(len(self.loss))

    @property
    def are_a_grid(self) -> bool:
        """Whether all combinations of the values are there; values drawn at random have few."""
        counts = [len(np.unique(values)) for values in self.axes.values()]
        return math.prod(counts) == len(self.loss)

    @property
    def are_a_curve(self) -> bool:
        """Whether there is a best loss for each value of `along`."""
        return self.along is not None and self.are_a_grid

    def best_by(self, *axes: str) -> NDArray[np.int64]:
        """The best setting of a grid for each combination of the values of some axes.

        returns: the indices of settings, a dimension for each axis, its values ascending
        """
        found = [np.unique(self.axes[axis], return_inverse=True) for axis in axes]
        shape = tuple(len(values) for values, _ in found)
        cell = np.ravel_multi_index(tuple(places for _, places in found), shape)
        order = np.lexsort((self.loss, cell))
        first = np.searchsorted(cell[order], np.arange(math.prod(shape)))
        return order[first].reshape(shape)


def read_sweep(path: Path) -> list[Settings]:
    """Reads the settings of a sweep, in the order of the file."""
    return [
        settings
        for name, members in groupby(read_curves(path), itemgetter("optimizer"))
        for settings in _settings(name, list(members))
    ]


def _settings(optimizer: str, rows: list[dict[str, str]]) -> Iterator[Settings]:
    """One for each combination of the values that are not numbers."""
    texts = {
        axis: [row[axis] for row in rows]
        for axis in rows[0]
        if axis not in ("optimizer", *MEASURES) and any(row[axis] for row in rows)
    }
    varied = [axis for axis in texts if len(set(texts[axis])) > 1 and _are_numbers(texts[axis])]
    fixed = [axis for axis in texts if axis not in varied]
    members: dict[tuple[str, ...], dict[tuple[float, ...], dict[str, str]]] = {}
    for row in rows:
        alike = members.setdefault(tuple(row[axis] for axis in fixed), {})
        alike[tuple(float(row[axis]) for axis in varied)] = row  # once, if it was drawn twice
    for words, points in members.items():
        numbers = np.array(list(points)).reshape(len(points), len(varied))
        loss, lower, upper, diverged = (
            np.array([float(row[measure] or "inf") for row in points.values()])
            for measure in MEASURES
        )
        yield Settings(
            optimizer,
            {axis: _as_in_yaml(word) for axis, word in zip(fixed, words, strict=True)},
            dict(zip(varied, numbers.T, strict=True)),
            *(loss, lower, upper, diverged),
        )


def _are_numbers(texts: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(text)) for text in texts)
    except ValueError:
        return False


def _as_in_yaml(text: str) -> str:
    return {"True": "true", "False": "false", "": "null"}.get(text, text)


def window(sweep: Sequence[Settings]) -> tuple[float, float]:
    """The smallest and the largest of the losses that are worth comparing.

    Leaves out losses below a thousandth of the median optimizer's best, and those that explode:
    above ten thousand times that best and above a hundred times the median optimizer's median loss.
    """
    positive = [np.sort(s.loss[(s.loss > 0) & (s.loss < HUGE)]) for s in sweep]
    positive = [losses for losses in positive if len(losses)]
    if not positive:
        return 0.1, 10.0
    best = np.sort([losses[0] for losses in positive])
    middle = np.sort([losses[(len(losses) - 1) // 2] for losses in positive])
    lowest = best[(len(best) - 1) // 2] / 1000
    largest = max(10_000 * best[len(best) // 2], 100 * middle[(len(middle) - 1) // 2])
    losses = np.concatenate(positive)
    inside = losses[(losses >= lowest) & (losses <= largest)]
    return float(inside.min()), float(inside.max())
