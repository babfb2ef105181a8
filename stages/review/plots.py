"""The plots that changed: pictures before and after, and curves of both in one picture."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stages.review.differences import differences
from stages.review.revision import Plot

PICTURES = {".png", ".gif", ".jpg", ".jpeg", ".svg"}

# The values of x, and those of each column of y.
Curves = tuple[list[float], dict[str, list[float]]]


@dataclass(frozen=True)
class ChangedPlot:
    """A plot that changed; None on the side where it is missing."""

    path: str
    old: Plot | None
    new: Plot | None

    @property
    def is_picture(self) -> bool:
        return PurePosixPath(self.path).suffix in PICTURES


def changed_plots(old: Mapping[str, Plot], new: Mapping[str, Plot]) -> list[ChangedPlot]:
    """The plots whose content changed, including new ones and those that are gone."""
    before = {path: plot.content for path, plot in old.items()}
    after = {path: plot.content for path, plot in new.items()}
    return [
        ChangedPlot(path, old.get(path), new.get(path)) for path, *_ in differences(before, after)
    ]


def curves(plot: Plot | None) -> Curves | None:
    """The curves of a table; None if dvc.yaml names no columns, or they have no numbers."""
    if plot is None or plot.x is None or not plot.y:
        return None
    try:
        rows = list(csv.DictReader(io.StringIO(plot.content.decode())))
        x, *ys = [
            [float(row[column]) if row[column] else math.nan for row in rows]
            for column in (plot.x, *plot.y)
        ]
    except (KeyError, ValueError):  # there is no such column, or it has text
        return None
    return x, dict(zip(plot.y, ys, strict=True))


def draw_curves(plot: ChangedPlot, path: Path) -> None:
    """Draws the curves of a table before and after into one small picture."""
    from matplotlib.figure import Figure

    from stages.figures import style

    figure = Figure(figsize=(style.WIDTH / 2, 2.4), dpi=style.DPI, layout="constrained")
    axes = figure.add_subplot()
    sides = (
        ("before", plot.old, style.solid(style.SKY)),
        ("after", plot.new, style.dashed(style.INK)),
    )
    values = []
    for side, given, look in sides:
        x, ys = curves(given) or ([], {})
        for column, y in ys.items():
            axes.plot(x, y, **style.scaled(look, axes), label=f"{column}, {side}")
            axes.set_xlabel(given.x or "" if given else "", parse_math=False)
            values += [value for value in y if math.isfinite(value)]
    if all(value > 0 for value in values):
        style.log_axis(axes)
    axes.set_title(plot.path, parse_math=False)
    for label in axes.legend().get_texts():
        label.set_parse_math(False)
    style.save(figure, path)
