"""loss.png: train and test loss of both twins, and how far apart the twins are."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from stages.comparison.difference import relative_difference
from stages.figures import style
from stages.figures.results import Results


def draw_loss(results: Results) -> Figure:
    """The losses by epoch above, the largest relative difference of a parameter below."""
    figure = style.empty(4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.75, 1))
    figure.subplots_adjust(left=0.112, right=0.885, bottom=0.1, top=0.93, hspace=0.1)
    for part, looks in (("train", style.TWIN_LINES), ("test", style.TEST_LINES)):
        for name, twin in results.twins.items():
            label = f"{style.TWIN_NAMES[name]} {part}"
            losses = twin.history[f"{part}_loss"]
            above.plot(twin.history["epoch"], losses, **looks[name], label=label)
    style.log_axis(above)
    above.set_ylabel("loss")
    style.legend_above(figure, above.lines, 0.112)
    if results.diverged:
        style.say_diverged(above, results.diverged)
    _draw_difference(results, below)
    return figure


def _draw_difference(results: Results, axes: Axes) -> None:
    numpy, torch = results.twins["numpy"], results.twins["torch"]
    moments = min(len(numpy.steps), len(torch.steps))
    epochs = np.interp(numpy.steps[:moments], numpy.history["step"], numpy.history["epoch"])
    with np.errstate(all="ignore"):  # the parameters of a diverged training overflow
        differences = np.array(
            [
                max(
                    relative_difference(array[moment], torch.snapshots[name][moment])
                    for name, array in numpy.snapshots.items()
                )
                for moment in range(moments)
            ]
        )
    resolution = np.finfo(numpy.snapshots["0.weight"].dtype).eps

    # On a log axis a difference of nothing has no place: it gets a line of its own.
    some = differences[differences > 0]
    lowest, highest = min([*some, resolution]), max([*some, resolution])
    floor = 10.0 ** (np.floor(np.log10(lowest)) - 1)
    for value, name in ((floor, "bit-identical"), (resolution, f"{resolution.dtype}\nresolution")):
        axes.axhline(value, color=style.FAINT, linewidth=1, linestyle=(0, (1, 2)))
        beside: dict[str, Any] = {"va": "center", "transform": axes.get_yaxis_transform()}
        axes.text(1.012, value, name, color=style.GREY, fontsize=7.5, **beside)
    shown = np.maximum(differences, floor)
    axes.plot(epochs, shown, color=style.INK, linewidth=1, marker="o", markersize=3)
    axes.set_ylim(floor / 3, highest * 10)
    axes.set_yscale("log")
    first, last = int(np.log10(floor)) + 1, int(np.ceil(np.log10(highest)))
    powers = range(first, last + 1, 1 + (last - first) // 4)
    ticks = [floor, *(10.0**power for power in powers)]
    axes.set_yticks(ticks, ["0", *map(style.power_of_ten, powers)])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.locator_params(axis="x", integer=True)
    axes.set(xlabel="epoch", ylabel="largest relative\nparameter difference")
