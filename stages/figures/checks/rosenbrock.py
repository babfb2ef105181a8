"""rosenbrock.png: the path of every optimizer over Rosenbrock's function, a panel for each."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from contourpy import FillType, contour_generator
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from stages.figures import layout, style
from stages.figures.numbers import written

Array = NDArray[Any]
Paths = Mapping[str, Array]  # by twin, each (steps + 1, 2): x and y, the start first

MINIMUM = (1.0, 1.0)
CORNERS = ((-2.0, -1.0), (2.0, 3.0))  # of the window, which is wider if a start is outside
LEVELS = (1, 10, 100, 1000, np.inf)
SHADES = ("#f4f4f4", "#eaeaea", "#dfdfdf", "#d4d4d4")  # between one level and the next
COLUMNS = 4

# Inches.
PANEL, CAPTION = 1.4, 0.25  # the height of a panel, and of the text above it
LEGEND, LEFT, BOTTOM, RIGHT, BESIDE = 0.32, 0.272, 0.25, 0.064, 0.1100096
APART = 0.08  # between two of torch's dots, at least

SMALL = FontProperties(size=7)


def draw_paths(optimizers: Mapping[str, Paths], hyperparameters: Mapping[str, str]) -> Figure:
    """NumPy's path as a line with torch's as dots on it, for each optimizer.

    A path is drawn up to its first inf or NaN; torch's may be missing.

    hyperparameters: of each optimizer, as a text
    """
    gaps, margins = (BESIDE, CAPTION), (LEFT, BOTTOM, RIGHT, LEGEND + CAPTION)
    figure, panels = layout.panels(len(optimizers), COLUMNS, PANEL, gaps, margins)
    low, high = _window(optimizers)
    contours = _contours(low, high)
    for index, (axes, (name, paths)) in enumerate(zip(panels, optimizers.items(), strict=True)):
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.grid(False)
        axes.set(xticks=_whole(low[0], high[0]), yticks=_whole(low[1], high[1]))
        last = index + COLUMNS >= len(optimizers)
        axes.tick_params(labelleft=index % COLUMNS == 0, labelbottom=last)
        for contour, shade in zip(contours, SHADES, strict=True):
            axes.add_artist(PathPatch(contour, facecolor=shade, edgecolor="white", linewidth=0.5))
        _draw(axes, paths)
        _caption(axes, name, paths["numpy"])
        _note(axes, hyperparameters[name], paths["numpy"])
    steps = max(len(paths["numpy"]) - 1 for paths in optimizers.values())
    labels = {
        "numpy": style.TWIN_NAMES["numpy"],
        "torch": style.TWIN_NAMES["torch"],
        "start": "start",
        "end": f"after {steps} steps",
        "minimum": "minimum",
    }
    entries = [Line2D([], [], **LOOKS[part], label=label) for part, label in labels.items()]
    layout.legend_above(figure, entries, 0.03)
    right: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": 7.5, "color": style.GREY}
    formula = "f = (1 − x)² + 100 (y − x²)², shaded by powers of ten"
    figure.text(0.992, 1 - 0.04 / figure.get_figheight(), formula, **right)
    return figure


def _point(colour: str, marker: str, size: float, edge: float = 0) -> dict[str, Any]:
    edges = {"markeredgecolor": style.INK, "markeredgewidth": edge}
    return {"color": colour, "marker": marker, "markersize": size, "linestyle": "", **edges}


LOOKS = {
    "numpy": {"color": style.TWIN_COLOURS["numpy"], "linewidth": 0.9, "solid_joinstyle": "round"},
    "torch": _point(style.TWIN_COLOURS["torch"], "o", 2.8),
    "start": _point("white", "o", 4.5, edge=0.8),
    "end": _point(style.INK, "D", 3.4),
    "minimum": _point(style.YELLOW, "*", 9, edge=0.7),
}


def rosenbrock(x: Array, y: Array) -> Array:
    """(1 - x)² + 100 (y - x²)² of finite numbers, element by element; inf where it overflows."""
    with np.errstate(over="ignore"):
        return np.asarray((1 - x) ** 2 + 100 * (y - x**2) ** 2)


def _window(optimizers: Mapping[str, Paths]) -> tuple[Array, Array]:
    """The lower left and the upper right corner of what is shown: all starts are inside."""
    starts = [path[0] for paths in optimizers.values() for path in paths.values()]
    corners = np.array([*CORNERS, *np.subtract(starts, 0.2), *np.add(starts, 0.2)])
    return corners.min(axis=0), corners.max(axis=0)


def _contours(low: Array, high: Array) -> list[Path]:
    """The regions in which the function lies between one of the LEVELS and the next."""
    x, y = np.linspace(low, high, 241).T
    generator: Any = contour_generator(
        x, y, rosenbrock(x, y[:, None]), fill_type=FillType.OuterCode
    )
    regions = [generator.filled(*levels) for levels in pairwise(LEVELS)]
    return [Path(np.concatenate(points), np.concatenate(codes)) for points, codes in regions]


def _whole(low: float, high: float) -> Array:
    """The whole numbers between low and high, without these."""
    return np.arange(np.floor(low) + 1, np.ceil(high))


def _draw(axes: Axes, paths: Paths) -> None:
    axes.plot(*MINIMUM, **LOOKS["minimum"])
    lines = {name: _drawable(path, axes) for name, path in paths.items()}
    axes.plot(*lines["numpy"].T, **LOOKS["numpy"])
    if "torch" in lines:
        axes.plot(*_thinned(lines["torch"], axes).T, **LOOKS["torch"])
    axes.plot(*lines["numpy"][0], **LOOKS["start"])
    axes.plot(*lines["numpy"][-1], **LOOKS["end"])


def _drawable(path: Array, axes: Axes) -> Array:
    """The path up to where it diverges, at numbers that can still be drawn."""
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    return path[: _finite_steps(path)].clip(low - 50 * (high - low), high + 50 * (high - low))


def _finite_steps(path: Array) -> int:
    """How many points of the path come before the first that is not finite."""
    return int(np.append(~np.isfinite(path).all(axis=1), True).argmax())


def _thinned(path: Array, axes: Axes) -> Array:
    """The points of a path that are far enough from all those kept before."""
    inches = axes.transData.transform(path) / style.DPI
    kept: list[int] = []
    for step, point in enumerate(inches):
        if all(np.hypot(*(inches[kept] - point).T) >= APART):
            kept.append(step)
    return path[kept]


def _note(axes: Axes, hyperparameters: str, path: Array) -> None:
    """Writes the hyperparameters into the axes, and how much of the path is outside."""
    lines = layout.wrapped(layout.hyperparameters(hyperparameters), SMALL, style.width(axes) - 0.12)
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    shown = path[: _finite_steps(path)]
    outside = int(((shown < low) | (shown > high)).any(axis=1).sum())
    if outside:
        lines.append(f"{outside} {'step' if outside == 1 else 'steps'} outside the frame")
    place: dict[str, Any] = {"ha": "left", "va": "bottom", "transform": axes.transAxes}
    axes.text(0.025, 0.025, "\n".join(lines), fontproperties=SMALL, linespacing=1.25, **place)


def _caption(axes: Axes, name: str, path: Array) -> None:
    """Writes the optimizer's name above the axes, and how low it got."""
    steps = _finite_steps(path)
    if steps < len(path):
        text = f"diverged at step {steps}"
    else:
        value = float(rosenbrock(*path[-1]))
        text = f"f = {written(value) if math.isfinite(value) else '∞'}"
    above: dict[str, Any] = {"y": 1.04, "va": "baseline", "transform": axes.transAxes}
    axes.text(0, s=name, weight="bold", fontsize=8.5, ha="left", **above)
    axes.text(1, s=text, fontsize=7.5, color=style.GREY, ha="right", **above)
