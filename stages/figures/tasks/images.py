"""Images: samples whose features are their pixels, and the filters that a model has for them."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.figures import layout, style
from stages.figures.tasks.learned import Array, Results

# Inches: an image, the gap between two, the text below one, and the text above a row of them.
IMAGE, GAP, CAPTION, TITLE = 0.53, 0.1, 0.2, 0.3
LEFT, BOTTOM = 0.38, 0.06
COLUMNS, ROWS = 12, 2
HEIGHT = BOTTOM + ROWS * (IMAGE + CAPTION) + TITLE + CAPTION + IMAGE + TITLE


def image_shape(names: Sequence[str]) -> tuple[int, int] | None:
    """(rows, columns) if the features are <name>_<row>_<column>, row by row from 0; else None."""
    last = re.fullmatch(r"(.*)_(\d+)_(\d+)", names[-1])
    if last is None:
        return None
    rows, columns = int(last[2]) + 1, int(last[3]) + 1
    if min(rows, columns) < 2 or rows * columns != len(names):
        return None
    expected = [f"{last[1]}_{row}_{column}" for row in range(rows) for column in range(columns)]
    return (rows, columns) if list(names) == expected else None


def draw_images(results: Results, shape: tuple[int, int], figure: Figure) -> None:
    """Filters of the first layer, if it has any, and some samples at the bottom of the figure.

    Both are of NumPy's twin at the end of the training.
    """
    filters = _filters(results)
    if filters is not None:
        top = HEIGHT - TITLE
        words = "filters of the first layer: orange weights raise the output, purple ones lower it"
        _say(figure, words, top)
        largest = float(np.abs(filters).max(initial=0.0)) or 1.0
        for place, weights in enumerate(filters[:COLUMNS]):
            axes = _axes(figure, place, top - IMAGE)
            axes.imshow(weights, cmap="PuOr_r", vmin=-largest, vmax=largest)
    _draw_samples(results, shape, figure)


def _filters(results: Results) -> Array | None:
    """(filters, rows, columns) of the first layer; None if it is no convolution of grey images."""
    last = [values[-1] for values in results.twins["numpy"].snapshots.values()]
    first = next((values for values in last if values.ndim == 4 and values.shape[1] == 1), None)
    return first[:, 0] if first is not None and np.isfinite(first).all() else None


def _draw_samples(results: Results, shape: tuple[int, int], figure: Figure) -> None:
    """Samples under what each is taken for, the mistakes first and in a frame."""
    judged = results.judged
    assert judged.classes is not None
    scores = results.twins["numpy"].outputs(judged.features, [len(results.steps) - 1])[0]
    if np.isnan(scores).any():
        return
    predicted = scores.argmax(axis=1)
    mistakes = np.flatnonzero(predicted != judged.target)
    part = "test" if judged is results.test else "train"
    words = (
        f"{len(mistakes)} of {len(predicted)} {part} samples are classified wrong: "
        "below each the predicted class, in brackets the true one"
    )
    top = BOTTOM + ROWS * (IMAGE + CAPTION)
    _say(figure, words, top)
    right = np.flatnonzero(predicted == judged.target)
    shown = [*mistakes, *right][: ROWS * COLUMNS]
    labels = [layout.shortened(label) for label in judged.classes]
    low, high = np.quantile(judged.features, [0.01, 0.99])
    for place, sample in enumerate(shown):
        row, column = divmod(place, COLUMNS)
        axes = _axes(figure, column, top - row * (IMAGE + CAPTION) - IMAGE)
        pixels = judged.features[sample].reshape(shape)
        axes.imshow(pixels, cmap="gray_r", vmin=low, vmax=high)
        text, look = labels[predicted[sample]], {"color": style.INK}
        if place < len(mistakes):
            text = f"{text} ({labels[int(judged.target[sample])]})"
            look = {"color": style.VERMILION, "weight": "bold"}
            for spine in axes.spines.values():
                spine.set(visible=True, edgecolor=style.VERMILION, linewidth=2)
        below: dict[str, Any] = {"ha": "center", "va": "top", "transform": axes.transAxes, **look}
        axes.text(0.5, -0.07, text, fontsize=8, **below)


def _axes(figure: Figure, column: int, bottom: float) -> Axes:
    """Axes for an image in a column, `bottom` inches above the lower edge of the figure."""
    left = LEFT + column * (IMAGE + GAP)
    height = figure.get_figheight()
    size = IMAGE / style.WIDTH, IMAGE / height
    axes = figure.add_axes((left / style.WIDTH, bottom / height, *size))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, linewidth=0.5)
    return axes


def _say(figure: Figure, words: str, bottom: float) -> None:
    place = LEFT / style.WIDTH, (bottom + 0.06) / figure.get_figheight()
    figure.text(*place, words, fontsize=8.5, ha="left", va="bottom")
