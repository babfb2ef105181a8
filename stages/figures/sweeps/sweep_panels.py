"""What the panels of a sweep's pictures have in common."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties

from stages.figures import layout, style
from stages.figures.scale import Scale
from stages.figures.sweeps.settings import LEARNING_RATE, Settings

SMALL = FontProperties(size=7.5)
NAME = FontProperties(size=8.5, weight="bold")
BEST: dict[str, Any] = {
    "color": style.YELLOW,
    "marker": "*",
    "markersize": 8.5,
    "markeredgecolor": style.INK,
    "markeredgewidth": 0.7,
    "linestyle": "",
}


def columns_of(panels: int, most: int) -> int:
    """The number of columns for some panels, `most` if there are more than six."""
    return {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}.get(panels, most)


def label_of(axis: str | None) -> str:
    """The label of an axis."""
    return "learning rate" if axis == LEARNING_RATE else axis or ""


def x_ticks(axes: Axes, scale: Scale) -> None:
    """Writes numbers along the x axis, as many as there is room for."""
    low, high = axes.get_xlim()
    places, labels = scale.ticks(low, high)
    widest = max((layout.text_width(label, SMALL) for label in labels), default=0) + 0.06
    apart = widest / style.width(axes) * (high - low)
    every = math.ceil(apart / np.diff(places).min()) if len(places) > 1 else 1
    axes.set_xticks(places[::every], labels[::every])


def caption(axes: Axes, settings: Settings, lines: Sequence[str]) -> None:
    """Writes the optimizer and what is fixed above a panel, and lines of text below that."""
    name = layout.shortened(settings.optimizer)
    inch = style.DPI / axes.bbox.height
    heights = [1 + (0.08 + 0.15 * (len(lines) - place)) * inch for place in range(len(lines) + 1)]
    look: dict[str, Any] = {"va": "baseline", "transform": axes.transAxes}
    axes.text(0, heights[0], name, fontproperties=NAME, ha="left", **look)
    room = style.width(axes) - layout.text_width(name, NAME) - 0.1
    fixed = " ".join(f"{axis}={value}" for axis, value in settings.fixed.items())
    small: dict[str, Any] = {"fontproperties": SMALL, "color": style.GREY, **look}
    axes.text(1, heights[0], cut(fixed, room), ha="right", **small)
    for line, height in zip(lines, heights[1:], strict=True):
        axes.text(0, height, line, ha="left", **small)


def cut(text: str, room: float) -> str:
    """The text, shortened to `room` inches of small letters."""
    if layout.text_width(text, SMALL) <= room:
        return text
    while text and layout.text_width(f"{text}…", SMALL) > room:
        text = text[:-1]
    return f"{text}…"
