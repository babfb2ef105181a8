"""A trained model in one set of axes, at any moment of its training.

Which panel suits a task follows from its target and its number of features: `panel_of` says. Every
panel shows both twins, and is drawn once: `show` then only moves what the training moves, so that
the same panel is the picture of the end, six small ones in a strip, or an animation.
"""

from collections.abc import Sequence
from typing import Any, Protocol

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

from stages.figures import style
from stages.figures.decision import boundary, regions
from stages.figures.learned import Results, thinned

Array = NDArray[Any]


class Panel(Protocol):
    """A panel at one of the `moments` that it was made for."""

    moving: list[Artist]  # what `show` changes, from back to front
    left: float  # the room that the labels of its axes need, in inches
    bottom: float

    def show(self, index: int) -> None:
        """Shows the moment at `index` of the panel's moments."""

    def key(self) -> list[Artist]:
        """What a legend has to explain, beside the twins."""


def panel_of(results: Results, axes: Axes, moments: Sequence[int]) -> Panel:
    """The panel that suits the task, on `axes`."""
    features = results.train.features.shape[1]
    if results.train.classes is None:
        return Line(results, axes, moments) if features == 1 else Measured(results, axes, moments)
    return Regions(results, axes, moments) if features == 2 else Confusion(results, axes, moments)


class Line:
    """A number by one feature: the samples and each twin's line."""

    left, bottom = 0.7, 0.48

    def __init__(self, results: Results, axes: Axes, moments: Sequence[int]) -> None:
        train, test = thinned(results.train, 1000), thinned(results.test, 250)
        x = np.concatenate([train.features[:, 0], test.features[:, 0]])
        y = np.concatenate([train.target, test.target])
        axes.set(xlim=_limits(x), ylim=_limits(y))
        axes.set(xlabel=train.feature_names[0], ylabel=train.target_name)
        axes.locator_params(nbins=6)
        size = style.scale(axes)
        seen_look, unseen_look = _dots("#a9a9a9", 3 * size, "train"), _rings(4 * size, "test")
        (seen,) = axes.plot(train.features[:, 0], train.target, **seen_look)
        (unseen,) = axes.plot(test.features[:, 0], test.target, **unseen_look)
        self.samples: list[Artist] = [seen, unseen] if len(test.target) else [seen]

        grid = np.linspace(*axes.get_xlim(), 200)
        self.lines: dict[str, Line2D] = {}
        self.values: dict[str, Array] = {}
        # A line that left the picture long ago is kept at numbers that can still be drawn.
        low, high = axes.get_ylim()
        bounds = low - 50 * (high - low), high + 50 * (high - low)
        for name, twin in results.twins.items():
            (self.lines[name],) = axes.plot(
                grid, grid, **style.scaled(style.TWIN_LINES[name], axes)
            )
            self.values[name] = twin.outputs(grid[:, None], moments)[..., 0].clip(*bounds)
        self.moving: list[Artist] = list(self.lines.values())

    def show(self, index: int) -> None:
        for name, line in self.lines.items():
            line.set_ydata(self.values[name][index])

    def key(self) -> list[Artist]:
        return self.samples


class Measured:
    """A number by several features: what each twin predicts for the test part, by what is true."""

    left, bottom = 0.7, 0.48

    def __init__(self, results: Results, axes: Axes, moments: Sequence[int]) -> None:
        test = thinned(results.judged, 400)
        limits = _limits(test.target)
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        name = test.target_name
        axes.set(xlabel=f"measured {name}", ylabel=f"predicted {name}")
        axes.axline((limits[0], limits[0]), slope=1, color=style.FAINT, linewidth=1, zorder=1)
        self.points: dict[str, Line2D] = {}
        self.values: dict[str, Array] = {}
        axes.locator_params(nbins=6)
        sizes = {"numpy": 6.0 * style.scale(axes), "torch": 2.5 * style.scale(axes)}
        for name, twin in results.twins.items():
            look = _dots(style.TWIN_COLOURS[name], sizes[name], style.TWIN_NAMES[name])
            (self.points[name],) = axes.plot(test.target, test.target, **look)
            self.values[name] = twin.outputs(test.features, moments)[..., 0]
        self.moving: list[Artist] = list(self.points.values())

    def show(self, index: int) -> None:
        for name, points in self.points.items():
            points.set_ydata(self.values[name][index])

    def key(self) -> list[Artist]:
        return []


class Regions:
    """Classes by two features: each sample in the colour of the class that is predicted for it.

    The regions of the plane and the solid boundary are NumPy's, the dashed boundary is torch's.
    A sample's marker is the class that is true; one that is predicted wrong has a dark edge.
    """

    left, bottom = 0.7, 0.48

    def __init__(self, results: Results, axes: Axes, moments: Sequence[int]) -> None:
        assert results.train.classes is not None
        name = results.train.target_name
        self.classes = [
            f"{name} {label}" if str(label).isdecimal() else str(label)
            for label in results.train.classes
        ]
        train, test = thinned(results.train, 400), thinned(results.test, 100)
        samples = np.concatenate([train.features, test.features])
        self.target = np.concatenate([train.target, test.target]).astype(np.int64)
        self.tests = len(test.target) > 0
        axes.set(xlim=_limits(samples[:, 0]), ylim=_limits(samples[:, 1]))
        axes.set(xlabel=train.feature_names[0], ylabel=train.feature_names[1])
        axes.grid(False)
        axes.locator_params(nbins=6)

        # A step of a grid for many moments is as large as one pixel in six of an animation.
        columns, rows = (200, 160) if len(moments) == 1 else (81, 65)
        self.x = np.linspace(*axes.get_xlim(), columns)
        self.y = np.linspace(*axes.get_ylim(), rows)
        grid = np.stack(np.meshgrid(self.x, self.y), axis=-1).reshape(-1, 2)
        self.scores = {
            name: twin.outputs(grid, moments, np.float32)
            .swapaxes(1, 2)
            .reshape(len(moments), -1, rows, columns)
            for name, twin in results.twins.items()
        }
        scores = results.twins["numpy"].outputs(samples, moments)
        self.predicted = np.where(np.isnan(scores[..., 0]), -1, scores.argmax(axis=-1))

        self.regions: list[PathPatch] = []
        for index in range(len(self.classes)):
            colour = style.tint(style.class_colour(index), 0.25)
            self.regions.append(PathPatch(_NOWHERE, facecolor=colour, linewidth=0, zorder=0.5))
        self.boundaries = {
            name: PathPatch(_NOWHERE, fill=False, zorder=1.5, **_edge(name, axes))
            for name in results.twins
        }
        for patch in (*self.regions, *self.boundaries.values()):
            axes.add_patch(patch)
        sizes = np.where(np.arange(len(samples)) < len(train.target), 4.0, 6.5)
        self.points = Points(samples, self.target, sizes * style.scale(axes))
        axes.add_artist(self.points)
        self.moving: list[Artist] = [*self.regions, *self.boundaries.values(), self.points]
        self.moving += [axes.spines["left"], axes.spines["bottom"]]  # the regions cover them

    def show(self, index: int) -> None:
        paths = regions(self.x, self.y, self.scores["numpy"][index])
        for patch, path in zip(self.regions, paths, strict=True):
            patch.set_path(path)
        for name, patch in self.boundaries.items():
            patch.set_path(boundary(self.x, self.y, self.scores[name][index]))
        self.points.predicted = self.predicted[index]

    def key(self) -> list[Artist]:
        entries: list[Artist] = []
        for index, label in enumerate(self.classes):
            look = _dots(style.class_colour(index), 6, style.shortened(label))
            entries.append(Line2D([], [], **{**look, "marker": style.class_marker(index)}))
        entries += [Line2D([], [], **_dots("#999999", 4, "train"))]
        if self.tests:
            entries += [Line2D([], [], **_dots("#999999", 6.5, "test"))]
        if (self.predicted[-1] != self.target).any():
            wrong = _dots("white", 6, "wrong")
            entries.append(Line2D([], [], **{**wrong, **_RING}))
        return entries


class Points(Artist):
    """Samples whose marker is the class that is true, in the colour of the one that is predicted.

    Those that look alike are drawn together, which takes a fifth of the time of a scatter plot.
    """

    def __init__(self, samples: Array, target: Array, sizes: Array) -> None:
        super().__init__()
        self.samples, self.target, self.sizes = samples, target, sizes
        self.predicted = target
        self.set_zorder(2)

    def draw(self, renderer: RendererBase) -> None:
        assert self.axes is not None
        places = self.axes.transData.transform(self.samples)
        looks = np.stack([self.sizes, self.target, self.predicted], axis=1)
        graphics = renderer.new_gc()
        graphics.set_linewidth(0.6)
        for look in np.unique(looks, axis=0):
            size: Any = renderer.points_to_pixels(look[0])
            target, predicted = int(look[1]), int(look[2])
            graphics.set_foreground("white" if target == predicted else style.INK)
            fill = style.class_colour(predicted) if predicted >= 0 else "#bbbbbb"
            renderer.draw_markers(
                graphics,
                _marker(target),
                Affine2D().scale(size),
                Path(places[(looks == look).all(axis=1)]),
                IdentityTransform(),
                to_rgb(fill),
            )
        graphics.restore()


class Confusion:
    """Classes by any other number of features: how often each is taken for which, in the test part.

    Counts are NumPy's; where torch's differ they follow after a stroke.
    """

    def __init__(self, results: Results, axes: Axes, moments: Sequence[int]) -> None:
        test = results.judged
        assert test.classes is not None
        count = len(test.classes)
        self.counts = {
            name: _confusion(twin.outputs(test.features, moments), test.target, count)
            for name, twin in results.twins.items()
        }
        axes.set(xlabel=f"predicted {test.target_name}", ylabel=f"true {test.target_name}")
        axes.set(xlim=(0, count), ylim=(count, 0), aspect="equal")
        axes.grid(False)
        labels = [style.shortened(label) for label in test.classes]
        longest = style.CHARACTER * max(map(len, labels))  # inches
        upright = longest * count > 0.9 * style.width(axes)
        axes.set_xticks(np.arange(count) + 0.5, labels, rotation=90 if upright else 0)
        axes.set_yticks(np.arange(count) + 0.5, labels)
        self.left, self.bottom = 0.38 + longest, 0.33 + (longest if upright else 0.13)
        axes.tick_params(length=0)
        self.mesh = axes.pcolormesh(
            np.zeros((count, count)), cmap="Blues", vmin=0, vmax=1.15, edgecolors="w", linewidth=1
        )
        self.texts = (
            [
                axes.text(column + 0.5, row + 0.5, "", ha="center", va="center")
                for row in range(count)
                for column in range(count)
            ]
            if count <= 12
            else []
        )
        self.moving: list[Artist] = [self.mesh, *self.texts]

    def show(self, index: int) -> None:
        counts, other = (self.counts[name][index] for name in ("numpy", "torch"))
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        self.mesh.set_array(shares)
        for text, mine, yours, share in zip(
            self.texts, counts.flat, other.flat, shares.flat, strict=False
        ):
            text.set_text(f"{mine}" if mine == yours else f"{mine} / {yours}")
            text.set_color("white" if share > 0.75 else style.INK)

    def key(self) -> list[Artist]:
        return []


_NOWHERE = Path(np.empty((0, 2)))


def _confusion(scores: Array, target: Array, count: int) -> NDArray[np.int64]:
    """(moments, classes, classes) counts: rows are true classes, columns predicted ones."""
    matrices = []
    for moment in scores:
        pairs = target.astype(np.int64) * count + moment.argmax(axis=1)
        pairs = pairs[np.isfinite(moment).all(axis=1)]
        matrices.append(np.bincount(pairs, minlength=count * count).reshape(count, count))
    return np.stack(matrices)


def _marker(index: int) -> Path:
    marker = MarkerStyle(style.class_marker(index))
    return marker.get_path().transformed(marker.get_transform())


def _edge(twin: str, axes: Axes) -> dict[str, Any]:
    look = style.scaled(style.TWIN_LINES[twin], axes)
    return {"edgecolor": look["color"], **{key: look[key] for key in ("linewidth", "linestyle")}}


def _limits(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _dots(colour: str, size: float, label: str) -> dict[str, Any]:
    return {
        "marker": "o",
        "linestyle": "",
        "markersize": size,
        "markerfacecolor": colour,
        "markeredgewidth": 0,
        "label": label,
    }


_RING = {"markerfacecolor": "white", "markeredgecolor": style.INK, "markeredgewidth": 0.8}


def _rings(size: float, label: str) -> dict[str, Any]:
    return {**_dots("white", size, label), **_RING}
