"""fit.png: what the twins learned, and beside it how well by epoch."""

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.figures import layout, style
from stages.figures.tasks.learned import Results
from stages.figures.tasks.panels import panel_of

HEIGHT = 3.5  # inches


def draw_fit(results: Results) -> Figure:
    """The trained models on the left, the loss or the accuracy by epoch on the right."""
    figure = layout.empty(HEIGHT)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    panel = panel_of(results, left, [len(results.steps) - 1])
    panel.show(0)
    layout.say_diverged(left, results.diverged)
    entries = [*_draw_epochs(results, right), *panel.key]
    rows = layout.legend_above(figure, entries, panel.left / style.WIDTH)
    left_edge, bottom = panel.left / style.WIDTH, panel.bottom / HEIGHT
    top = 0.965 - 0.06 * rows
    figure.subplots_adjust(left=left_edge, right=0.985, bottom=bottom, top=top, wspace=0.24)
    return figure


def _draw_epochs(results: Results, axes: Axes) -> list[Artist]:
    """Draws the loss or the accuracy by epoch; returns a line of each twin."""
    classes = results.train.classes is not None
    quantity = "train_accuracy" if classes else "train_loss"
    lines: list[Artist] = []
    for name, twin in results.twins.items():
        look = style.TWIN_LINES[name]
        lines += axes.plot(
            twin.history["epoch"], twin.history[quantity], **look, label=style.TWIN_NAMES[name]
        )
    axes.locator_params(axis="x", integer=True, nbins=6)
    axes.set(xlabel="epoch", ylabel=quantity.replace("_", " "))
    if classes:
        axes.set_ylim(top=1.02)
    else:
        style.log_axis(axes)
    return lines
