"""Files as the stage `sweep` writes them, with losses that a test chooses."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.figures.sweeps.settings import Settings, read_sweep
from stages.sweeps.results import Runs, curves
from stages.task.curves import write_curves

Point = Mapping[str, Any]
Loss = Callable[[Point], Any]  # of all seeds, or a list with one for each; infinite: diverged

RATES = np.geomspace(1e-4, 10, 16).tolist()
SPREAD = np.array([0.8, 0.9, 1.0, 1.1, 1.2])  # the losses of five seeds


def grid(**axes: Sequence[Any]) -> list[dict[str, Any]]:
    """All combinations of the values."""
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def bowl(best: float, lowest: float = 0.01) -> Loss:
    """The losses of five seeds, lowest at the learning rate `best`."""
    return lambda point: lowest * (1 + np.log10(point["lr"] / best) ** 2) * SPREAD


def write(path: Path, optimizers: Mapping[str, tuple[Sequence[Point], Loss]]) -> None:
    """Writes the file of a sweep: for each optimizer its points, and the losses at each."""
    gathered = []
    for name, (points, loss) in optimizers.items():
        losses = np.array([_of_seeds(loss(point)) for point in points])
        losses[~np.isfinite(losses)] = np.nan
        columns = {axis: [point[axis] for point in points] for axis in points[0]}
        arrays = {
            axis: np.array(values, float if _are_numbers(values) else object)
            for axis, values in columns.items()
        }
        results = {"train_loss": losses, "diverged": np.isnan(losses).astype(np.int64)}
        gathered.append(Runs(name, arrays, results))
    write_curves(path, *curves(gathered))


def _of_seeds(losses: Any) -> np.ndarray:
    return np.array(losses if np.ndim(losses) else np.full(len(SPREAD), losses), float)


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def a_sweep(folder: Path, **optimizers: tuple[Sequence[Point], Loss]) -> list[Settings]:
    """The sweep as the pictures read it."""
    write(folder / "sweep.csv", optimizers)
    return read_sweep(folder / "sweep.csv")
