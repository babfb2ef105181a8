"""fit.png: what the twins learned, and beside it how well: the residuals, or the accuracy."""

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.figures import layout, style
from stages.figures.tasks.details import details_of
from stages.figures.tasks.learned import Results
from stages.figures.tasks.line import Line, learned_line, least_squares
from stages.figures.tasks.panel import Panel
from stages.figures.tasks.panels import panel_of
from stages.figures.tasks.regression import REFERENCES, draw_line_residuals, draw_residuals

HEIGHT, RIGHT, BETWEEN = 3.5, 0.12, 0.15  # inches


def draw_fit(results: Results, configured: Line | None = None) -> Figure:
    """The trained models on the left; on the right the residuals, or the accuracy by epoch.

    Below them is what else there is to see, if anything.

    configured: the line that the samples of one feature were made from, None if there is none
    """
    details = details_of(results)
    height = HEIGHT + details.height
    figure = layout.empty(height)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    panel = panel_of(results, left, [len(results.steps) - 1])
    panel.show(0)
    layout.say_diverged(left, results.diverged)
    key, room = panel.key, 0.6
    if results.train.classes is not None:
        lines = _draw_accuracy(results, right)
        key = key or lines
    elif results.train.features.shape[1] > 1:
        room = draw_residuals(results, right)
    else:
        references = _references(results, configured)
        key = _key_of_lines(results, panel, left, references)
        room = draw_line_residuals(results, right, references)
    rows = layout.legend_above(figure, key, panel.left / style.WIDTH)
    beside = room + BETWEEN
    figure.subplots_adjust(
        left=panel.left / style.WIDTH,
        right=1 - RIGHT / style.WIDTH,
        bottom=(details.height + panel.bottom) / height,
        top=(details.height + HEIGHT * (0.965 - 0.06 * rows)) / height,
        wspace=2 * beside / (style.WIDTH - panel.left - RIGHT - beside),
    )
    details.draw(figure)
    return figure


def _references(results: Results, configured: Line | None) -> dict[str, Line]:
    """The lines to compare those of linear models with."""
    numpy = results.twins["numpy"]
    if len(numpy.snapshots) > 2 or learned_line(numpy) is None:
        return {}
    found = dict(zip(REFERENCES, (least_squares(results.train), configured), strict=True))
    return {name: line for name, line in found.items() if line is not None}


def _key_of_lines(
    results: Results, panel: Panel, axes: Axes, references: Mapping[str, Line]
) -> list[Artist]:
    """Draws the references; a legend in which each line has its slope and its intercept."""
    twins, samples = panel.key[: len(results.twins)], panel.key[len(results.twins) :]
    for artist, twin in zip(twins, results.twins.values(), strict=True):
        if references and (line := learned_line(twin)) is not None:
            artist.set_label(f"{artist.get_label()}: {line}")
    grid = np.linspace(*axes.get_xlim(), 2)
    for name, line in references.items():
        look = {**REFERENCES[name], "label": f"{name}: {line}"}
        twins += axes.plot(grid, line.at(grid), **look)
    return [*twins, *samples]


def _draw_accuracy(results: Results, axes: Axes) -> list[Artist]:
    """Draws the accuracy by epoch; returns a line of each twin."""
    lines: list[Artist] = []
    for name, twin in results.twins.items():
        look = {**style.TWIN_LINES[name], "label": style.TWIN_NAMES[name]}
        lines += axes.plot(twin.history["epoch"], twin.history["train_accuracy"], **look)
    axes.set(xlabel="epoch", ylabel="train accuracy")
    axes.set_ylim(top=1.02)
    axes.locator_params(axis="x", integer=True, nbins=6)
    return lines
