"""Panels of a task whose target is a class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform
from numpy.typing import NDArray

from stages.figures import layout, style
from stages.figures.tasks.decision import NOWHERE, boundary, regions
from stages.figures.tasks.learned import Array, Results, thinned
from stages.figures.tasks.panel import Panel, dots

# Points: the white edge of a sample, and with it the ring around one that is wrong.
EDGE, RING = 0.6, 3.0


def region_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """Classes by two features: each sample in the colour and with the marker of its true class.

    The regions of the plane, in the colours of the predicted classes, and the solid boundary are
    NumPy's, the dashed boundary is torch's. A ring is around each sample that is classified wrong.
    """
    train, test = thinned(results.train, 400), thinned(results.test, 100)
    samples = np.concatenate([train.features, test.features])
    target = np.concatenate([train.target, test.target]).astype(np.int64)
    axes.set(xlim=layout.limits(samples[:, 0]), ylim=layout.limits(samples[:, 1]))
    axes.set(xlabel=train.feature_names[0], ylabel=train.feature_names[1])
    axes.grid(False)
    left = layout.number_ticks(axes)

    # For many moments a cell of the grid has the size of six pixels of an animation.
    columns, rows = (200, 160) if len(moments) == 1 else (81, 65)
    x, y = np.linspace(*axes.get_xlim(), columns), np.linspace(*axes.get_ylim(), rows)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    on_grid = {
        name: twin.outputs(grid, moments, np.float32)
        .swapaxes(1, 2)
        .reshape(len(moments), -1, rows, columns)
        for name, twin in results.twins.items()
    }
    scores = results.twins["numpy"].outputs(samples, moments)
    # A training that has diverged predicts no class, not even a wrong one.
    wrong = (scores.argmax(axis=-1) != target) & ~np.isnan(scores[..., 0])

    areas = [
        PathPatch(NOWHERE, facecolor=style.tint(colour, 0.25), linewidth=0, zorder=0.5)
        for colour in map(style.class_colour, range(on_grid["numpy"].shape[1]))
    ]
    edges = {name: _edge(name, axes) for name in results.twins}
    for patch in (*areas, *edges.values()):
        axes.add_patch(patch)
    sizes = np.where(np.arange(len(samples)) < len(train.target), 4.0, 6.5)
    points = Points(samples, target, sizes * style.scale(axes))
    axes.add_artist(points)

    def show(index: int) -> None:
        for area, path in zip(areas, regions(x, y, on_grid["numpy"][index]), strict=True):
            area.set_path(path)
        for name, edge in edges.items():
            edge.set_path(boundary(x, y, on_grid[name][index]))
        points.wrong = wrong[index]

    covered = [axes.spines["left"], axes.spines["bottom"]]  # by the regions
    key = _region_key(results, bool(wrong.any()))
    return Panel(show, [*areas, *edges.values(), points, *covered], key, left)


def _edge(twin: str, axes: Axes) -> PathPatch:
    look = style.scaled(style.TWIN_LINES[twin], axes)
    look["edgecolor"] = look.pop("color")
    return PathPatch(NOWHERE, fill=False, zorder=1.5, **look)


def _region_key(results: Results, wrong: bool) -> list[Artist]:
    """The boundaries, the classes, the two sizes of samples, and the ring around a wrong one."""
    looks = [{**style.TWIN_LINES[name], "label": style.TWIN_NAMES[name]} for name in results.twins]
    for index, label in enumerate(results.train.classes or ()):
        text = f"{results.train.target_name} {label}" if str(label).isdecimal() else str(label)
        look = dots(style.class_colour(index), 6, layout.shortened(text))
        looks.append(look | {"marker": style.class_marker(index)})
    looks.append(dots("#999999", 4, "train"))
    if len(results.test.target):
        looks.append(dots("#999999", 6.5, "test"))
    if wrong:
        ring = {"markeredgecolor": style.INK, "markeredgewidth": 1}
        looks.append(dots("none", 6.5, "classified wrong") | ring)
    return [Line2D([], [], **look) for look in looks]


class Points(Artist):
    """Samples with the marker and the colour of their class, and a ring around each that is wrong.

    Those that look alike are drawn together, which takes a fifth of the time of a scatter plot.
    """

    def __init__(self, samples: Array, target: Array, sizes: Array) -> None:
        super().__init__()
        self.samples, self.target, self.sizes = samples, target, sizes
        self.wrong = np.zeros(len(target), np.bool_)
        self.set_zorder(2)

    def draw(self, renderer: RendererBase) -> None:
        assert self.axes is not None
        places = self.axes.transData.transform(self.samples)
        looks = np.stack([self.sizes, self.target], axis=1)
        every = np.ones(len(looks), np.bool_)
        graphics = renderer.new_gc()
        # All rings lie below all samples: in a crowd of them each keeps its colour.
        for some, edge, width in ((self.wrong, style.INK, RING), (every, "white", EDGE)):
            graphics.set_linewidth(width)
            graphics.set_foreground(edge)
            for look in np.unique(looks[some], axis=0):
                target = int(look[1])
                marker = MarkerStyle(style.class_marker(target))
                size: Any = renderer.points_to_pixels(look[0])
                renderer.draw_markers(
                    graphics,
                    marker.get_path().transformed(marker.get_transform()),
                    Affine2D().scale(size),
                    Path(places[some & (looks == look).all(axis=1)]),
                    IdentityTransform(),
                    to_rgb(style.class_colour(target)),
                )
        graphics.restore()


def confusion_panel(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """Any other number of features: how often each class of the test part is taken for which.

    Counts are NumPy's; where torch's differ they follow after a slash. Those of 0 are not written,
    and in small cells none is.
    """
    test = results.judged
    assert test.classes is not None
    count = len(test.classes)
    counts = {
        name: _confusion(twin.outputs(test.features, moments), test.target, count)
        for name, twin in results.twins.items()
    }
    axes.set(xlabel=f"predicted {test.target_name}", ylabel=f"true {test.target_name}")
    axes.set(xlim=(0, count), ylim=(count, 0), aspect="equal")
    axes.grid(False)
    labels = [layout.shortened(label) for label in test.classes]
    longest = layout.CHARACTER * max(map(len, labels))  # inches
    upright = longest * count > 0.9 * style.width(axes)
    middles = np.arange(count) + 0.5
    axes.set_xticks(middles, labels, rotation=90 if upright else 0)
    axes.set_yticks(middles, labels)
    axes.tick_params(length=0)
    look: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 1.15, "edgecolors": "w"}
    mesh = axes.pcolormesh(np.zeros((count, count)), linewidth=1, **look)
    room = style.width(axes) / count > 0.15 and count <= 12
    cells = [(column, row) for row in middles for column in middles] if room else []
    texts = [axes.text(*cell, "", ha="center", va="center") for cell in cells]

    def show(index: int) -> None:
        ours, theirs = (counts[name][index] for name in ("numpy", "torch"))
        shares = ours / np.maximum(ours.sum(axis=1, keepdims=True), 1)
        mesh.set_array(shares)
        cells = zip(texts, ours.flat, theirs.flat, shares.flat, strict=False)
        for text, our, their, share in cells:
            same = f"{our}" if our else ""
            text.set_text(same if our == their else f"{our} / {their}")
            text.set_color("white" if share > 0.75 else style.INK)

    bottom = 0.33 + (longest if upright else 0.13)
    return Panel(show, [mesh, *texts], left=0.38 + longest, bottom=bottom)


def _confusion(scores: Array, target: Array, count: int) -> NDArray[np.int64]:
    """(moments, classes, classes) counts: rows are true classes, columns predicted ones."""
    matrices = []
    for moment in scores:
        pairs = target.astype(np.int64) * count + moment.argmax(axis=-1)
        pairs = pairs[np.isfinite(moment).all(axis=-1)]
        matrices.append(np.bincount(pairs, minlength=count * count).reshape(count, count))
    return np.stack(matrices)
