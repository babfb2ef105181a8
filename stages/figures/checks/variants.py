"""variants.png: how far every variant of every optimizer is from torch's, in two arithmetics."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from stages.figures import layout, style
from stages.figures.numbers import written
from stages.task.variants import Variant

# Equality bit for bit is not the low end of a ramp: it has a colour of its own.
ZERO = "#6cc5a8"
RAMP = ("#fbf3ae", "#f6cd60", style.ORANGE, "#b84e00", "#6b2a00")
DECADES = 2  # from one colour of the ramp to the next: it goes from 1 to 10⁸
UNKNOWN = "#f2f2f2"

# Inches.
LINE, GAP = 0.14, 0.05  # the height of a line of text, and the padding of a row
MARGIN, TOP = 0.08, 0.9
NAME, CELL = 0.84, 0.5  # the widths of an optimizer's name, and of a cell
COLUMN = (style.WIDTH - 2 * MARGIN - 0.2) / 2
ROOM = COLUMN - NAME - 2 * CELL - 0.05  # for a line of hyperparameters

SMALL = FontProperties(size=7)


@cache
def lines_of(variant: Variant) -> list[str]:
    """The text of a variant, broken into lines that fit."""
    words = layout.hyperparameters(variant.variant)
    if variant.ulp_ieee:
        words.append(f"(differs from step {variant.first_difference})")
    return layout.wrapped(words, SMALL, ROOM)


def height_of(variant: Variant) -> float:
    """The height of a variant's row, in inches."""
    return LINE * len(lines_of(variant)) + GAP


def draw_variants(variants: Sequence[Variant]) -> Figure:
    """A row for each variant with a cell for each arithmetic, optimizer by optimizer."""
    halves = _halves([list(rows) for _, rows in groupby(variants, lambda row: row.optimizer)])
    height = TOP + max(map(_height, halves)) + MARGIN
    figure = layout.empty(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.WIDTH), ylim=(height, 0))
    axes.axis("off")
    _draw_key(axes)
    for left, half in zip((MARGIN, style.WIDTH - MARGIN - COLUMN), halves, strict=True):
        y = TOP
        for rows in half:
            axes.plot([left, left + COLUMN], [y, y], color="#d0d0d0", linewidth=0.6)
            name: dict[str, Any] = {"weight": "bold", "fontsize": 8, "va": "center"}
            axes.text(left, y + (LINE + GAP) / 2, rows[0].optimizer, **name)
            for row in rows:
                _draw_row(axes, row, left, y)
                y += height_of(row)
        heads: dict[str, Any] = {"fontsize": 7.5, "ha": "center", "color": style.GREY}
        if half:
            axes.text(left + COLUMN - 1.5 * CELL, TOP - 0.06, "IEEE", **heads)
            axes.text(left + COLUMN - 0.5 * CELL, TOP - 0.06, "native", **heads)
    return figure


def colour(ulp: int | None) -> str:
    """The colour of a cell, by the logarithm of the difference; none has a colour of its own."""
    if not ulp:
        return UNKNOWN if ulp is None else ZERO
    channels = np.transpose([to_rgb(step) for step in RAMP])
    place = math.log10(ulp) / DECADES
    red, green, blue = (float(np.interp(place, range(len(RAMP)), part)) for part in channels)
    return to_hex((red, green, blue))


Optimizers = list[list[Variant]]  # the variants of each


def _halves(optimizers: Optimizers) -> tuple[Optimizers, Optimizers]:
    """Those of the left and of the right half, split where the picture is lowest."""
    cuts = [(optimizers[:cut], optimizers[cut:]) for cut in range(len(optimizers) + 1)]
    return min(cuts, key=lambda halves: max(map(_height, halves)))


def _height(optimizers: Optimizers) -> float:
    return sum(height_of(row) for rows in optimizers for row in rows)


def _draw_row(axes: Axes, row: Variant, left: float, top: float) -> None:
    for index, line in enumerate(lines_of(row)):
        y = top + GAP / 2 + LINE * (index + 0.5)
        axes.text(left + NAME, y, line, fontproperties=SMALL, va="center")
    right = left + COLUMN
    height = height_of(row)
    if row.ulp_ieee is None:
        _draw_cell(axes, right - 2 * CELL, top, 2 * CELL, height, None, "no reference")
        return
    _draw_cell(axes, right - 2 * CELL, top, CELL, height, row.ulp_ieee, _short(row.ulp_ieee))
    text = "diverges" if row.ulp_native is None else _short(row.ulp_native)
    _draw_cell(axes, right - CELL, top, CELL, height, row.ulp_native, text)


def _draw_cell(
    axes: Axes, left: float, top: float, width: float, height: float, ulp: int | None, text: str
) -> None:
    fill = colour(ulp)
    look: dict[str, Any] = {"facecolor": fill, "edgecolor": "white", "linewidth": 1}
    axes.add_artist(Rectangle((left, top), width, height, **look))
    ink = style.GREY if ulp is None else "black" if is_light(fill) else "white"
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}
    axes.text(left + width / 2, top + height / 2, text, color=ink, **middle)


def is_light(fill: str) -> bool:
    """Whether black is easier to read on a colour than white."""
    return bool(np.dot(to_rgb(fill), (0.299, 0.587, 0.114)) >= 0.43)


def _draw_key(axes: Axes) -> None:
    """What is compared, and what the colours mean."""
    small: dict[str, Any] = {"fontsize": 7.5, "color": style.GREY, "va": "center"}
    what = "largest difference from torch.optim, in units in the last place"
    axes.text(MARGIN, 0.15, what, fontsize=8.5, va="center")
    how = "IEEE: torch held to the arithmetic of IEEE 754"
    axes.text(MARGIN, 0.35, how, **small)
    why = (
        "native: torch as it is, which rounds the last bit otherwise; "
        "steps carry that on, until one side alone diverges at worst"
    )
    axes.text(MARGIN, 0.52, why, **small)
    left, height = style.WIDTH - MARGIN - (len(RAMP) + 1) * CELL, LINE + GAP
    top = 0.15 - height / 2
    _draw_cell(axes, left - 0.06, top, CELL, height, 0, "0")
    for step in range(len(RAMP)):
        ulp, x = 10 ** (step * DECADES), left + (step + 1) * CELL
        end = "≥ " if step == len(RAMP) - 1 else ""
        _draw_cell(axes, x, top, CELL, height, ulp, end + _short(ulp))
    axes.text(left - 0.06 + CELL / 2, 0.35, "bit for bit", ha="center", **small)


def _short(ulp: int) -> str:
    return str(ulp) if ulp < 100_000 else written(ulp, 1)
