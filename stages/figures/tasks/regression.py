"""Panels of a task whose target is a number."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from stages.figures import layout, style
from stages.figures.tasks.learned import Array, Results, thinned
from stages.figures.tasks.panel import RING, Panel, dots


def line_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """The target by one feature: the samples and each twin's line."""
    train, test = thinned(results.train, 1000), thinned(results.test, 250)
    x = np.concatenate([train.features[:, 0], test.features[:, 0]])
    y = np.concatenate([train.target, test.target])
    axes.set(xlim=layout.limits(x), ylim=layout.limits(y))
    axes.set(xlabel=train.feature_names[0], ylabel=train.target_name)
    size = style.scale(axes)
    samples: list[Artist] = [
        *axes.plot(train.features[:, 0], train.target, **dots("#a9a9a9", 3 * size, "train")),
        *axes.plot(test.features[:, 0], test.target, **dots("white", 4 * size, "test") | RING),
    ]

    grid = np.linspace(*axes.get_xlim(), 200)
    # A line that left the picture long ago is kept at numbers that can still be drawn.
    low, high = axes.get_ylim()
    bounds = low - 50 * (high - low), high + 50 * (high - low)
    lines, values = {}, {}
    for name, twin in results.twins.items():
        (lines[name],) = axes.plot(grid, grid, **style.scaled(style.TWIN_LINES[name], axes))
        values[name] = twin.outputs(grid[:, None], moments)[..., 0].clip(*bounds)
    return _panel(axes, lines, values, samples if len(test.target) else samples[:1])


def measured_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """What each twin predicts for the test part, by what was measured."""
    test = thinned(results.judged, 400)
    limits = layout.limits(test.target)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel=f"measured {test.target_name}", ylabel=f"predicted {test.target_name}")
    axes.axline((limits[0], limits[0]), slope=1, color=style.FAINT, linewidth=1, zorder=1)
    sizes = {"numpy": 6.0 * style.scale(axes), "torch": 2.5 * style.scale(axes)}
    points, values = {}, {}
    for name, twin in results.twins.items():
        look = dots(style.TWIN_COLOURS[name], sizes[name], style.TWIN_NAMES[name])
        (points[name],) = axes.plot(test.target, test.target, **look)
        values[name] = twin.outputs(test.features, moments)[..., 0]
    return _panel(axes, points, values, [])


def _panel(
    axes: Axes, lines: dict[str, Line2D], values: dict[str, Array], key: list[Artist]
) -> Panel:
    """A panel whose lines take the `values` of each moment, (moments, points)."""
    axes.locator_params(nbins=6)

    def show(index: int) -> None:
        for name, line in lines.items():
            line.set_ydata(values[name][index])

    return Panel(show, list(lines.values()), key)
