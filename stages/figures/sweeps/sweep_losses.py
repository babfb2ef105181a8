"""sweep.png: the loss at the end by learning rate, a panel for each optimizer, the best first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path
from numpy.typing import NDArray

from stages.figures import layout, style
from stages.figures.numbers import written
from stages.figures.scale import Scale, scale_of
from stages.figures.sweeps.settings import Settings, window
from stages.figures.sweeps.sweep_panels import BEST, caption, columns_of, label_of, x_ticks

Array = NDArray[Any]

# Inches.
LEFT, RIGHT, BESIDE = 0.62, 0.1, 0.18  # the margins, and the gap between two columns
LEGEND, NAME, BOTTOM = 0.3, 0.47, 0.46
TICKS = 0.3  # below a panel with an axis of its own
HEIGHTS = {1: 2.8, 2: 2.0, 3: 1.6, 4: 1.3}  # of a panel, by the number of columns


def draw_sweep(sweep: Sequence[Settings]) -> Figure:
    """Median and quartiles in each panel, in front of the medians of all others.

    Where several hyperparameters are swept, each learning rate is shown with the best values of the
    others. Settings that were drawn at random are dots.
    """
    ordered = sorted(sweep, key=lambda settings: float(settings.loss.min()))
    columns = columns_of(len(ordered), 4)
    scales = _scales(ordered)
    gaps = BESIDE, NAME + (TICKS if len(scales) > 1 else 0)
    margins = LEFT, BOTTOM, RIGHT, LEGEND + NAME
    figure, panels = layout.panels(len(ordered), columns, HEIGHTS[columns], gaps, margins)
    for axes in panels[1:]:
        axes.sharey(panels[0])
    style.log_axis(panels[0], window(sweep))
    for place, (axes, settings) in enumerate(zip(panels, ordered, strict=True)):
        axes.tick_params(labelleft=place % columns == 0)
        scale = scales[settings.along]
        _x_axis(axes, scale)
        if settings.along is None:
            axes.set_xticks([])
        if len(scales) == 1:
            axes.tick_params(labelbottom=place + columns >= len(ordered))
        else:
            axes.set_xlabel(label_of(settings.along), fontsize=8, labelpad=1)
        _draw_others(axes, settings, ordered, scale)
        _draw(axes, settings, scale)
        caption(axes, settings, [_best(settings)])
    height, middle = figure.get_figheight(), (LEFT + style.WIDTH - RIGHT) / 2 / style.WIDTH
    if len(scales) == 1:
        figure.text(middle, 0.05 / height, label_of(ordered[0].along), ha="center", va="bottom")
    centre = (BOTTOM + height - LEGEND - NAME) / 2 / height
    beside: dict[str, Any] = {"rotation": 90, "ha": "left", "va": "center"}
    figure.text(0.06 / style.WIDTH, centre, "training loss at the end", **beside)
    _legend(figure, ordered, panels[0].get_ylim())
    return figure


LINE: dict[str, Any] = {"color": style.BLUE, "linewidth": 1.4, "solid_joinstyle": "round"}
BAND: dict[str, Any] = {"facecolor": style.tint(style.BLUE, 0.28), "edgecolor": "none"}
OTHERS: dict[str, Any] = {"color": "#cfcfcf", "linewidth": 0.7}
BEYOND: dict[str, Any] = {
    "color": style.BLUE,
    "markersize": 5,
    "markeredgewidth": 0,
    "linestyle": "",
    "clip_on": False,
    "zorder": 3,
}
# Narrow triangles, as learning rates lie close to each other.
ABOVE = Path([(-0.3, -0.6), (0.3, -0.6), (0.0, 0.6)])
BELOW = Path([(-0.3, 0.6), (0.3, 0.6), (0.0, -0.6)])
DOT: dict[str, Any] = {"color": style.BLUE, "marker": "o", "markersize": 2.4, "linestyle": ""}
CROSS: dict[str, Any] = {
    "color": style.PURPLE,
    "marker": "x",
    "markersize": 3.5,
    "markeredgewidth": 1,
    "linestyle": "",
}
SHADES = LinearSegmentedColormap.from_list(
    "diverged", [style.tint(style.PURPLE, 0.15), style.tint(style.PURPLE, 0.5)]
)


def _scales(sweep: Sequence[Settings]) -> dict[str | None, Scale]:
    """A scale for each hyperparameter that losses are drawn by, which all settings share."""
    values: dict[str | None, list[Array]] = {}
    for settings in sweep:
        values.setdefault(settings.along, []).append(settings.x)
    return {along: scale_of(np.concatenate(found)) for along, found in values.items()}


def _x_axis(axes: Axes, scale: Scale) -> None:
    low, high = scale.bounds()[[0, -1]]
    margin = 0.02 * (high - low)  # values drawn at random may lie at the very ends
    axes.set_xlim(low - margin, high + margin)
    x_ticks(axes, scale)
    # A number at the edge of a panel stays below it, away from those of the next panel.
    for label in axes.get_xticklabels():
        place = (label.get_position()[0] - low) / (high - low)
        label.set_horizontalalignment(
            "left" if place < 0.04 else "right" if place > 0.96 else "center"
        )


def _draw_others(axes: Axes, settings: Settings, sweep: Sequence[Settings], scale: Scale) -> None:
    """The medians of all others, by the same hyperparameter."""
    lines = [
        np.append(_curve(axes, other, scale), [[np.nan], [np.nan]], axis=1)
        for other in sweep
        if other is not settings and other.along == settings.along and other.are_a_curve
    ]
    if lines:
        axes.plot(*np.concatenate(lines, axis=1), **OTHERS)


def _curve(axes: Axes, settings: Settings, scale: Scale) -> Array:
    """(2, points): the best medians by the hyperparameter, NaN where infinite.

    Losses outside the axes stay outside, at numbers that can be drawn.
    """
    low, high = axes.get_ylim()
    assert settings.along is not None
    chosen = settings.best_by(settings.along)
    loss = settings.loss[chosen]
    shown = np.where(np.isfinite(loss), loss.clip(low / 10, 10 * high), np.nan)
    return np.stack([scale.places(settings.x[chosen]), shown])


def _draw(axes: Axes, settings: Settings, scale: Scale) -> None:
    """The settings themselves, the best of them, and marks where they are beyond the axes."""
    low, high = axes.get_ylim()
    if settings.along and settings.are_a_grid:
        chosen = settings.best_by(settings.along)
        _draw_band(axes, settings, chosen, scale)
        axes.plot(*_curve(axes, settings, scale), **LINE, marker="o", markersize=1.6)
    else:
        chosen = np.arange(len(settings.loss))
        _draw_dots(axes, settings, scale)
    x, loss = scale.places(settings.x), settings.loss[chosen]
    above, below = np.isfinite(loss) & (loss > high), loss < low
    for marker, edge, some in ((ABOVE, high, above), (BELOW, low, below)):
        axes.plot(x[chosen[some]], np.full(some.sum(), edge), **BEYOND, marker=marker)
    if settings.best is not None:
        best = settings.loss[settings.best].clip(low, high)
        axes.plot(x[settings.best], best, **BEST, clip_on=False, zorder=4)


def _draw_band(axes: Axes, settings: Settings, chosen: Array, scale: Scale) -> None:
    """The quartiles, and where trainings diverged."""
    own = Scale(np.unique(settings.x), scale.by)
    low, high = axes.get_ylim()
    lower, upper = settings.lower[chosen], settings.upper[chosen]
    band = lower.clip(low, high), upper.clip(low, high)
    axes.fill_between(own.places(own.values), *band, where=np.isfinite(lower), **BAND)
    share = settings.diverged[chosen]
    if share.any():
        look: dict[str, Any] = {"cmap": SHADES, "vmin": 0, "vmax": 1, "zorder": 0.5}
        some = np.ma.masked_equal(share[None], 0)
        axes.pcolormesh(own.bounds(), [0, 1], some, transform=axes.get_xaxis_transform(), **look)


def _draw_dots(axes: Axes, settings: Settings, scale: Scale) -> None:
    """A dot for each setting, with a line between its quartiles."""
    low, high = axes.get_ylim()
    x, some = scale.places(settings.x), np.isfinite(settings.lower)
    band = settings.lower[some].clip(low, high), settings.upper[some].clip(low, high)
    axes.vlines(x[some], *band, color=BAND["facecolor"], linewidth=1.2)
    inside = (settings.loss >= low) & (settings.loss <= high)
    axes.plot(x[inside], settings.loss[inside], **DOT)
    lost = x[settings.diverged > 0]
    axes.plot(lost, np.full(len(lost), 0.95), **CROSS, transform=axes.get_xaxis_transform())


def _best(settings: Settings) -> str:
    """The smallest loss and where it is, with a hint if that is the first or last value."""
    if settings.best is None:
        return "all diverged"
    loss = written(float(settings.loss[settings.best]), 3)
    if settings.along is None:
        return loss
    value = settings.x[settings.best]
    text = f"{loss} at {settings.along} {written(float(value))}"
    if settings.are_a_grid and len(np.unique(settings.x)) > 2:
        text += " (largest)" if value == settings.x.max() else ""
        text += " (smallest)" if value == settings.x.min() else ""
    return text


def _legend(figure: Figure, sweep: Sequence[Settings], limits: tuple[float, float]) -> None:
    curves = [settings for settings in sweep if settings.are_a_curve]
    dots = [settings for settings in sweep if not settings.are_a_curve]
    look = LINE if curves else DOT
    entries: list[Artist] = [Line2D([], [], **look, label="median of seeds")]
    entries.append(Patch(**BAND, label="quartiles"))
    if len(curves) > 1:
        entries.append(Line2D([], [], **OTHERS, label="other optimizers"))
    entries.append(Line2D([], [], **BEST, label="best"))
    if any(settings.diverged.any() for settings in curves):
        entries.append(Patch(facecolor=SHADES(1.0), label="diverged"))
    if any(settings.diverged.any() for settings in dots):
        entries.append(Line2D([], [], **CROSS, label="diverged"))
    losses = np.concatenate([settings.loss for settings in sweep])
    if ((losses < limits[0]) | np.isfinite(losses) & (losses > limits[1])).any():
        entries.append(Line2D([], [], **BEYOND, marker=ABOVE, label="beyond the axis"))
    layout.legend_above(figure, entries, LEFT / style.WIDTH)
