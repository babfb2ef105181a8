"""How a figure is laid out: its size, panels, legend and texts. All lengths are in inches."""

import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from stages.figures.numbers import written
from stages.figures.style import DPI, INK, WIDTH, width

CHARACTER = 0.066  # the average width of a letter of small text
TICKS = 6  # the most steps between numbers along an axis


def empty(height: float) -> Figure:
    """An empty figure, as wide as every other."""
    return Figure(figsize=(WIDTH, height), dpi=DPI)


def panels(
    count: int,
    columns: int,
    height: float,
    gaps: tuple[float, float],
    margins: tuple[float, float, float, float],
) -> tuple[Figure, list[Axes]]:
    """A figure with panels of one size in rows.

    height: of a panel; gaps: between columns, and between rows
    margins: left, bottom, right and top, around all panels
    """
    rows = -(-count // columns)
    (beside, between), (left, bottom, right, top) = gaps, margins
    total = top + rows * height + (rows - 1) * between + bottom
    across = (WIDTH - left - right + beside) / columns - beside
    edges = left / WIDTH, bottom / total, 1 - right / WIDTH, 1 - top / total
    figure = empty(total)
    figure.subplots_adjust(*edges, beside / across, between / height)
    every = [figure.add_subplot(rows, columns, place + 1) for place in range(count)]
    for axes in every:
        axes.tick_params(length=2.5, labelsize=7.5, pad=2)
    return figure, every


def legend_above(figure: Figure, entries: Sequence[Artist], left: float) -> int:
    """A legend along the top of the figure, where no curve can run into it; returns its rows."""
    widths = [0.44 + CHARACTER * len(str(entry.get_label())) for entry in entries]
    columns = len(entries)
    while columns > 1 and sum(sorted(widths)[-columns:]) > (0.99 - left) * WIDTH:
        columns -= 1
    figure.legend(
        handles=entries,
        loc="upper left",
        bbox_to_anchor=(left, 1.0),
        ncols=columns,
        borderaxespad=0.3,
        borderpad=0,
        handlelength=1.9,
        handletextpad=0.5,
        columnspacing=1.2,
    )
    return -(-len(entries) // columns)


def limits(values: NDArray[Any]) -> tuple[float, float]:
    """The ends of an axis that shows all values, with a margin."""
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def number_ticks(axes: Axes) -> float:
    """Round numbers along both axes, as many as there is room for.

    Returns the room that those of y and their label need, in inches.
    """
    font = FontProperties(size=matplotlib.rcParams["xtick.labelsize"])
    low, high = axes.get_xlim()
    for most in range(TICKS, 0, -1):
        places, labels, widest = _numbers(low, high, most, font)
        apart = np.diff(places).min(initial=np.inf) / (high - low) * width(axes)
        if apart > widest + 0.08:
            break
    axes.set_xticks(places, labels)
    places, labels, widest = _numbers(*axes.get_ylim(), TICKS, font)
    axes.set_yticks(places, labels)
    return widest + 0.34


def _numbers(
    low: float, high: float, most: int, font: FontProperties
) -> tuple[NDArray[Any], list[str], float]:
    places = np.array(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    places = places[(places >= low) & (places <= high)]
    labels = [written(float(place), 10).replace("-", "\N{MINUS SIGN}") for place in places]
    return places, labels, max((text_width(label, font) for label in labels), default=0.0)


def text_width(text: str, font: FontProperties) -> float:
    """The width of a text."""
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def wrapped(words: Sequence[str], font: FontProperties, room: float) -> list[str]:
    """The words in lines of at most `room`, unless a word alone is longer."""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, font) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def hyperparameters(variant: str) -> list[str]:
    """The parts of a text such as "lr=0.1 betas=(0.9, 0.99)", which may not be broken."""
    return re.split(r" (?=\w+=)", variant or "defaults")


def shortened(label: str) -> str:
    """A label of 16 characters at most."""
    return label if len(label) <= 16 else label[:15] + "…"


def say_diverged(axes: Axes, text: str) -> None:
    """Writes when a training diverged into the upper left corner; nothing if the text is empty."""
    if not text:
        return
    box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8}
    corner: dict[str, Any] = {"ha": "left", "va": "top", "transform": axes.transAxes}
    axes.text(0.04, 0.94, text, fontsize=10, weight="bold", bbox=box, zorder=5, **corner)
