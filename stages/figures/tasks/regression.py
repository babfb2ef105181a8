"""Panels of a task whose target is a number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from stages.figures import layout, style
from stages.figures.tasks.learned import Array, Results, thinned
from stages.figures.tasks.line import Line
from stages.figures.tasks.panel import Panel, dots
from stages.task.table import Table

# Lines to compare those of the twins with, by their names in the legend.
REFERENCES: dict[str, dict[str, Any]] = {
    "least squares": {"color": style.INK, "linewidth": 1.1, "zorder": 1.9},
    "configured": {
        "color": style.PURPLE,
        "linewidth": 1.5,
        "linestyle": (0, (4, 1.2, 1, 1.2)),
        "zorder": 1.9,
    },
}


def line_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """The target by one feature: the samples and each twin's line."""
    parts = _parts(results)
    x = np.concatenate([part.features[:, 0] for part in parts])
    y = np.concatenate([part.target for part in parts])
    axes.set(xlim=layout.limits(x), ylim=layout.limits(y))
    axes.set(xlabel=results.train.feature_names[0], ylabel=results.train.target_name)
    samples: list[Artist] = []
    for part, look in zip(parts, _looks(axes), strict=False):
        samples += axes.plot(part.features[:, 0], part.target, **look)

    grid = np.linspace(*axes.get_xlim(), 200)
    lines, values = {}, {}
    for name, twin in results.twins.items():
        look = style.scaled(style.TWIN_LINES[name], axes) | {"label": style.TWIN_NAMES[name]}
        (lines[name],) = axes.plot(grid, grid, **look)
        values[name] = _drawable(twin.outputs(grid[:, None], moments)[..., 0], axes)
    return _panel(axes, lines, values, [*lines.values(), *samples])


def measured_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """What each twin predicts for the test part, by what was measured."""
    test = thinned(results.judged, 400)
    limits = layout.limits(test.target)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel=f"measured {test.target_name}", ylabel=f"predicted {test.target_name}")
    axes.axline((limits[0], limits[0]), slope=1, color=style.FAINT, linewidth=1, zorder=1)
    points, values = {}, {}
    for name, twin in results.twins.items():
        (points[name],) = axes.plot(test.target, test.target, **_twin_dots(name, axes))
        values[name] = twin.outputs(test.features, moments)[..., 0]
    return _panel(axes, points, values, [*points.values()])


def draw_line_residuals(results: Results, axes: Axes, references: Mapping[str, Line]) -> float:
    """What NumPy's line leaves of each sample, by its prediction, and the other lines beside it.

    Returns the room for the numbers along y and their label, in inches.
    """
    twins, last = results.twins, [len(results.steps) - 1]
    parts = _parts(results)
    predicted = [twins["numpy"].outputs(part.features, last)[0, :, 0] for part in parts]
    residuals = [part.target - values for part, values in zip(parts, predicted, strict=True)]
    room = _residual_axes(axes, predicted, residuals, results.train.target_name)
    for values, rest, look in zip(predicted, residuals, _looks(axes), strict=False):
        axes.plot(values, rest, **look)
    x = np.concatenate([part.features[:, 0] for part in parts])
    grid = np.linspace(*layout.limits(x), 200)
    ours, theirs = (twins[name].outputs(grid[:, None], last)[0, :, 0] for name in twins)
    axes.plot(ours, ours - ours, **style.TWIN_LINES["numpy"])
    axes.plot(ours, _drawable(theirs - ours, axes), **style.TWIN_LINES["torch"])
    for name, line in references.items():
        axes.plot(ours, _drawable(line.at(grid) - ours, axes), **REFERENCES[name])
    return room


def draw_residuals(results: Results, axes: Axes) -> float:
    """What each twin's prediction leaves of each sample of the test part, by its prediction.

    Returns the room for the numbers along y and their label, in inches.
    """
    test = thinned(results.judged, 400)
    last = [len(results.steps) - 1]
    predicted = [twin.outputs(test.features, last)[0, :, 0] for twin in results.twins.values()]
    residuals = [test.target - values for values in predicted]
    room = _residual_axes(axes, predicted, residuals, test.target_name)
    axes.axhline(0, color=style.FAINT, linewidth=1, zorder=1)
    for name, values, rest in zip(results.twins, predicted, residuals, strict=True):
        axes.plot(values, rest, **_twin_dots(name, axes))
    return room


def _residual_axes(
    axes: Axes, predicted: Sequence[Array], residuals: Sequence[Array], target: str
) -> float:
    for values, choose in ((predicted, axes.set_xlim), (residuals, axes.set_ylim)):
        every = np.concatenate(values)
        finite = every[np.isfinite(every)]
        choose(layout.limits(finite if len(finite) else np.zeros(1)))  # none after a divergence
    axes.set(xlabel=f"predicted {target}", ylabel="residual: measured − predicted")
    return layout.number_ticks(axes)


def _parts(results: Results) -> list[Table]:
    """The samples that are drawn: those that train, and those that test if any do."""
    test = [thinned(results.test, 250)] if len(results.test.target) else []
    return [thinned(results.train, 1000), *test]


def _looks(axes: Axes) -> list[dict[str, Any]]:
    """Of the samples that train, and of those that test."""
    size, ring = style.scale(axes), {"markeredgecolor": style.INK, "markeredgewidth": 0.8}
    return [dots("#a9a9a9", 3 * size, "train"), dots("white", 4 * size, "test") | ring]


def _twin_dots(name: str, axes: Axes) -> dict[str, Any]:
    size = {"numpy": 6.0, "torch": 2.5}[name] * style.scale(axes)
    return dots(style.TWIN_COLOURS[name], size, style.TWIN_NAMES[name])


def _drawable(values: Array, axes: Axes) -> Array:
    """What left the picture long ago is kept at numbers that can still be drawn."""
    low, high = axes.get_ylim()
    return values.clip(low - 50 * (high - low), high + 50 * (high - low))


def _panel(
    axes: Axes, lines: dict[str, Line2D], values: dict[str, Array], key: list[Artist]
) -> Panel:
    """A panel whose lines take the `values` of each moment, (moments, points)."""
    left = layout.number_ticks(axes)

    def show(index: int) -> None:
        for name, line in lines.items():
            line.set_ydata(values[name][index])

    return Panel(show, list(lines.values()), key, left)
