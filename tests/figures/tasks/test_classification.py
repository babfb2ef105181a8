from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from networks import predict

from stages.figures import style
from stages.figures.tasks.classification import region_panel
from stages.figures.tasks.learned import Learned, Results
from stages.task.table import Table

# Class 0 is predicted on the left. The second and the last sample are on the wrong side.
X = np.array([[-2.0, 0.0], [1.0, 0.0], [2.0, 1.0], [-1.0, 1.0]])
TARGET = np.array([0, 0, 1, 1])
WRONG = [False, True, False, True]
SHARP = {"0.weight": np.array([[[-1.0, 0.0], [1.0, 0.0]]]), "0.bias": np.zeros((1, 2))}


def panel(snapshots: dict[str, Any] = SHARP) -> tuple[Figure, Axes, list[str]]:
    """The panel, and what its legend has to explain."""
    table = Table(X, TARGET, ["x", "y"], "kind", ("a", "b"))
    history = {"epoch": [0.0], "step": [0.0], "train_loss": [1.0], "train_accuracy": [0.5]}
    twin = Learned(history, np.array([0]), snapshots, predict)
    figure = Figure(figsize=(6, 4), dpi=200)
    axes = figure.subplots()
    results = Results(table, table.rows(np.array([], np.int64)), {"numpy": twin, "torch": twin})
    drawn = region_panel(results, axes, [0])
    drawn.show(0)
    return figure, axes, [str(artist.get_label()) for artist in drawn.key]


def colours(figure: Figure, axes: Axes, point: np.ndarray, radius: float) -> np.ndarray:
    """(rows, columns, 3) the pixels around a point, from 0 to 1; radius: in points."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3] / 255
    column, row = axes.transData.transform(point).round().astype(int)
    reach = round(radius * figure.dpi / 72)
    return pixels[row - reach : row + reach + 1, column - reach : column + reach + 1]


@pytest.mark.parametrize("index", range(4))
def test_a_sample_has_the_colour_of_its_true_class_and_a_ring_if_it_is_wrong(index: int) -> None:
    figure, axes, labels = panel()
    middle = colours(figure, axes, X[index], 0)[0, 0]
    np.testing.assert_allclose(middle, to_rgb(style.class_colour(int(TARGET[index]))), atol=0.01)
    around = colours(figure, axes, X[index], 5)
    ink = np.abs(around - to_rgb(style.INK)).max(axis=-1) < 0.05
    assert ink.any() == WRONG[index]
    assert labels == ["NumPy", "PyTorch", "a", "b", "train", "classified wrong"]


def test_a_training_that_has_diverged_predicts_nothing_wrong() -> None:
    figure, axes, labels = panel({**SHARP, "0.bias": np.full((1, 2), np.nan)})
    assert "classified wrong" not in labels
    around = colours(figure, axes, X[1], 5)
    assert not (np.abs(around - to_rgb(style.INK)).max(axis=-1) < 0.05).any()
