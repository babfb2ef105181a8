"""Files as the stage `sweep` writes them, with losses that a test chooses."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from stages.figures.settings import Settings, read_sweep
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


def drawn(figure: Figure) -> Figure:
    """The figure after it is laid out and drawn."""
    FigureCanvasAgg(figure).draw()
    return figure


def assert_texts_are_readable(figure: Figure) -> None:
    """No text is cut off at the edge of the picture or overlaps another text."""
    drawn(figure)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    boxes = {text: text.get_window_extent() for text in texts}
    for text, box in boxes.items():
        assert box.x0 >= -1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 1, text.get_text()
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 1, f"{one.get_text()!r} lies on {other.get_text()!r}"
