"""The maps in sweep.png: the loss at the end by two hyperparameters, a panel for each optimizer."""

import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from stages.figures import layout, style
from stages.figures.numbers import written
from stages.figures.scale import scale_of, scale_of_cells
from stages.figures.sweeps.settings import LEARNING_RATE, Settings, window
from stages.figures.sweeps.sweep_panels import BEST, SMALL, caption, columns_of, label_of, x_ticks

Array = NDArray[Any]

COLOURS = matplotlib.colormaps["viridis"]  # the smallest loss is the darkest
NOTHING = "#e9e9e9"

# Inches.
LEFT, RIGHT, BESIDE = 0.66, 0.12, 0.72  # the margins, and the gap between two columns
LEGEND, BOTTOM = 0.42, 0.46
LINE = 0.15  # of text above a panel
HEIGHTS = {1: 3.2, 2: 2.4, 3: 1.9}  # of a panel, by the number of columns
BAR = 2.3  # the width of the colour bar


def draw_heatmaps(sweep: Sequence[Settings]) -> Figure | None:
    """The median loss as a colour, for each optimizer with two hyperparameters that differ.

    There is a cell for each pair of values, with the best values of the others, and a dot for each
    setting that was drawn at random. None if there is no such optimizer.
    """
    shown = [settings for settings in sweep if len(settings.axes) > 1]
    if not shown:
        return None
    shown.sort(key=lambda settings: float(settings.loss.min()))
    columns = columns_of(len(shown), 3)
    across = (style.WIDTH - LEFT - RIGHT + BESIDE) / columns - BESIDE
    captions = [_best(settings, across) for settings in shown]
    lines = max(map(len, captions))
    above, limits = 0.1 + LINE * (lines + 1), _limits(shown)
    gaps, margins = (BESIDE, BOTTOM + above), (LEFT, BOTTOM, RIGHT, LEGEND + above)
    figure, panels = layout.panels(len(shown), columns, HEIGHTS[columns], gaps, margins)
    for axes, settings, text in zip(panels, shown, captions, strict=True):
        axes.grid(False)
        _draw(axes, settings, limits)
        caption(axes, settings, text + [""] * (lines - len(text)))
    _key(figure, shown, limits)
    return figure


def _limits(sweep: Sequence[Settings]) -> tuple[float, float]:
    """The losses from the first to the last colour: those of the better half of the settings.

    Where the learning rate is too large they differ by powers of ten, and nobody looks for them:
    with colours for these, all that are worth comparing would have one.
    """
    low, high = window(sweep)
    losses = np.concatenate([settings.loss for settings in sweep])
    some = np.sort(losses[(losses >= low) & np.isfinite(losses)])
    middle = float(some[(len(some) - 1) // 2]) if len(some) else high
    return low, min(high, max(middle, 2 * low))


def axes_of(settings: Settings) -> tuple[str, str]:
    """The two hyperparameters that are drawn, the learning rate first if it differs."""
    x, y = sorted(settings.axes, key=lambda axis: axis != LEARNING_RATE)[:2]
    return x, y


CROSS: dict[str, Any] = {"marker": "x", "color": style.INK, "linestyle": ""}


def _draw(axes: Axes, settings: Settings, limits: tuple[float, float]) -> None:
    """The settings, the best of them, and the axes."""
    names = axes_of(settings)
    choose = scale_of_cells if settings.are_a_grid else scale_of
    scales = [choose(settings.axes[name]) for name in names]
    x, y = (scale.places(settings.axes[name]) for scale, name in zip(scales, names, strict=True))
    colours = np.where(np.isinf(settings.loss), np.nan, np.log10(settings.loss.clip(*limits)))
    look: dict[str, Any] = dict(zip(("vmin", "vmax"), np.log10(limits), strict=True))
    look["cmap"] = COLOURS
    chosen, size = np.arange(len(x)), 5.0
    if settings.are_a_grid:
        cells = settings.best_by(*reversed(names))
        axes.pcolormesh(*(scale.bounds() for scale in scales), colours[cells], **look)
        axes.set_facecolor(NOTHING)
        rows, columns = cells.shape
        inches = min(style.width(axes) / columns, axes.bbox.height / style.DPI / rows)
        chosen, size = cells.ravel(), min(36 * inches, 5)
    else:
        some = np.isfinite(colours)
        axes.scatter(x[some], y[some], 16, colours[some], edgecolors=style.INK, lw=0.3, **look)
        axes.set(xlim=layout.limits(x), ylim=layout.limits(y))
    diverged = chosen[settings.diverged[chosen] > 0]
    axes.plot(x[diverged], y[diverged], **CROSS, markersize=size, markeredgewidth=0.2 * size)
    if settings.best is not None:
        axes.plot(x[settings.best], y[settings.best], **BEST, clip_on=False)
    x_ticks(axes, scales[0])
    axes.set_yticks(*scales[1].ticks(*axes.get_ylim()))
    axes.set_xlabel(label_of(names[0]), fontsize=8, labelpad=2)
    axes.set_ylabel(label_of(names[1]), fontsize=8, labelpad=4)


def _best(settings: Settings, room: float) -> list[str]:
    """The smallest loss and its whole setting, in lines of at most `room` inches."""
    if settings.best is None:
        return ["all diverged"]
    drawn = axes_of(settings)
    names = [*drawn, *(name for name in settings.axes if name not in drawn)]
    values = [f"{name} {written(float(settings.axes[name][settings.best]), 3)}" for name in names]
    text = f"{written(float(settings.loss[settings.best]), 3)} at {', '.join(values)}"
    return layout.wrapped(re.split("(?<=,) ", text), SMALL, room)


def _key(figure: Figure, sweep: Sequence[Settings], limits: tuple[float, float]) -> None:
    """What the marks and the colours mean."""
    entries: list[Artist] = [Line2D([], [], **BEST, label="best")]
    if any(settings.diverged.any() for settings in sweep):
        label = "diverged (on a colour: some seeds)"
        entries.append(Line2D([], [], **CROSS, markersize=5, label=label))
    layout.legend_above(figure, entries, LEFT / style.WIDTH)
    height, left = figure.get_figheight(), style.WIDTH - RIGHT - BAR
    axes = figure.add_axes((left / style.WIDTH, 1 - 0.2 / height, BAR / style.WIDTH, 0.13 / height))
    losses = np.concatenate([settings.loss for settings in sweep])
    losses = losses[np.isfinite(losses)]
    beyond = (bool((losses < limits[0]).any()), bool((losses > limits[1]).any()))
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = figure.colorbar(
        ScalarMappable(Normalize(*np.log10(limits)), COLOURS),
        axes,
        orientation="horizontal",
        extend=extend.get(beyond, "neither"),
    )
    ticks = np.unique(np.geomspace(*limits, 7)[1::2])  # at the ends there is no room for a number
    bar.set_ticks(np.log10(ticks).tolist(), labels=[written(float(tick), 3) for tick in ticks])
    axes.tick_params(length=2, labelsize=7.5, pad=2)
    text: dict[str, Any] = {"ha": "right", "va": "center", "fontsize": 8.5}
    figure.text((left - 0.1) / style.WIDTH, 1 - 0.135 / height, "median loss", **text)
