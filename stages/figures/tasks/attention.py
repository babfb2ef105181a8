"""Attention: where a model looks when it predicts each of several targets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from stages.figures import style
from stages.figures.tasks.learned import Array, Results
from stages.figures.tasks.panel import Panel
from stages.task.table import Table

# Inches: room for the tokens at the left of a map and below it, between maps, and for a title.
LEFT, BELOW, BETWEEN, TITLE = 0.38, 0.22, 0.45, 0.3
COLUMNS, ROWS, MAP = 3, 2, 1.15
HEIGHT = ROWS * (MAP + BELOW + 0.1) + TITLE
PREDICTED = 1.6  # the room at the right of a map for what is predicted, in cells


def attends(results: Results) -> bool:
    """Whether the model gives weights to its features when it predicts several classes."""
    train = results.train
    several = train.classes is not None and train.target.ndim == 2
    return several and results.twins["numpy"].attention(train.features[:1], [0]) is not None


def attention_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """The map of one sample, by NumPy's twin."""
    sample = results.judged.rows(np.array([0]))
    maps, predicted = _maps(results, sample, moments)
    drawn = _Map(axes, sample, 0)
    axes.set(xlabel="looks at", ylabel="has just read")
    return Panel(
        lambda index: drawn.show(maps[index][0], predicted[index][0]), drawn.moving, left=0.5
    )


def draw_attention(results: Results, figure: Figure) -> None:
    """Maps of some samples at the bottom of the figure, those with mistakes first."""
    judged, last = results.judged, [len(results.steps) - 1]
    outputs = results.twins["numpy"].outputs(judged.features, last)[0]
    if np.isnan(outputs).any():
        return
    wrong = (outputs.argmax(axis=-1) != judged.target).any(axis=1)
    order = np.argsort(~wrong, kind="stable")[: ROWS * COLUMNS]
    shown = judged.rows(order)
    maps, predicted = _maps(results, shown, last)
    part = "test" if judged is results.test else "train"
    height, top = figure.get_figheight(), HEIGHT - TITLE
    words = (
        f"{wrong.sum()} of {len(wrong)} {part} answers have a mistake; at the right of each map is "
        "what is predicted, and in brackets what is right"
    )
    figure.text(LEFT / style.WIDTH, (top + 0.06) / height, words, fontsize=8.5, va="bottom")
    across = (style.WIDTH - 0.05 - COLUMNS * (LEFT + 0.1)) / COLUMNS
    for place in range(len(order)):
        row, column = divmod(place, COLUMNS)
        left = LEFT + column * (across + LEFT + 0.1)
        bottom = top - MAP - row * (MAP + BELOW + 0.1)
        size = across / style.WIDTH, MAP / height
        axes = figure.add_axes((left / style.WIDTH, bottom / height, *size))
        _Map(axes, shown, place).show(maps[0][place], predicted[0][place])


def _maps(results: Results, table: Table, moments: Sequence[int]) -> tuple[Array, Array]:
    """(moments, samples, targets, positions) weights, the mean of all heads, and predictions."""
    twin = results.twins["numpy"]
    targets = table.target.shape[1]
    weights = twin.attention(table.features, moments)
    assert weights is not None
    weights = weights[..., -targets:, :].mean(axis=2)
    outputs = twin.outputs(table.features, moments)
    return weights, np.where(np.isnan(outputs[..., 0]), -1, outputs.argmax(axis=-1))


class _Map:
    """The weights that one sample's positions have for each of its predictions."""

    def __init__(self, axes: Axes, table: Table, sample: int) -> None:
        assert table.classes is not None
        self._classes, self._target = table.classes, table.target[sample]
        tokens = [_token(value, table.classes) for value in table.features[sample]]
        rows, columns = len(self._target), len(tokens)
        size = 8.5 * style.scale(axes)
        axes.set(xlim=(0, columns + PREDICTED), ylim=(rows, 0))
        axes.grid(False)
        axes.set_xticks(np.arange(columns) + 0.5, tokens)
        axes.set_yticks(np.arange(rows) + 0.5, tokens[-rows:])
        axes.tick_params(length=0, labelsize=size, pad=2)
        axes.spines[["left", "bottom"]].set_visible(False)
        corners = np.arange(columns + 1), np.arange(rows + 1)
        look: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 1, "edgecolors": "#e4e4e4"}
        self._mesh = axes.pcolormesh(*corners, np.zeros((rows, columns)), linewidth=0.5, **look)
        middle: dict[str, Any] = {"ha": "left", "va": "center", "fontsize": size}
        self._texts: list[Text] = [
            axes.text(columns + 0.3, row + 0.5, "", **middle) for row in range(rows)
        ]
        self.moving = [self._mesh, *self._texts]

    def show(self, weights: Array, predicted: Array) -> None:
        """Shows the weights, (targets, positions), and the predictions, (targets,), -1 for none."""
        self._mesh.set_array(weights)
        for text, found, target in zip(self._texts, predicted, self._target, strict=True):
            right = found == target
            label = "?" if found < 0 else self._classes[found]
            text.set_text(label if right else f"{label} ({self._classes[target]})")
            text.set(color=style.INK if right else style.VERMILION)


def _token(value: float, classes: Sequence[str]) -> str:
    """The class that a feature stands for; an arrow for what separates question and answer."""
    text = f"{value:g}"
    return text if text in classes else "→"
