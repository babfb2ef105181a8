"""loss.png: the losses of both twins by epoch, and below them how far apart the twins are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from stages.figures import layout, style
from stages.figures.numbers import power_of_ten
from stages.task.files import History


def draw_losses(
    histories: Mapping[str, History],
    epochs: ArrayLike,
    differences: NDArray[np.float64],
    dtype: str,
    measure: str,
) -> Figure:
    """The losses of each twin above, of train and of test if any sample tests; difference below.

    epochs, differences: where the twins are compared, and how far apart they are; NaN is not drawn
    dtype: of the twins; its resolution is drawn for comparison
    measure: the label of the differences
    """
    figure = layout.empty(4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.75, 1))
    figure.subplots_adjust(left=0.112, right=0.885, bottom=0.1, top=0.93, hspace=0.1)
    for part, looks in (("train", style.TWIN_LINES), ("test", style.TEST_LINES)):
        for name, history in histories.items():
            if f"{part}_loss" not in history:
                continue
            label = f"{style.TWIN_NAMES[name]} {part}"
            above.plot(history["epoch"], history[f"{part}_loss"], **looks[name], label=label)
    style.log_axis(above)
    above.set_ylabel("loss")
    layout.legend_above(figure, above.lines, 0.112)
    _draw_differences(below, epochs, differences, dtype)
    below.set(xlabel="epoch", ylabel=measure)
    return figure


def _draw_differences(
    axes: Axes, epochs: ArrayLike, differences: NDArray[np.float64], dtype: str
) -> None:
    # A log axis has no place for zero: identical twins get a line of their own.
    resolution = float(np.finfo(dtype).eps)
    some = [*differences[differences > 0], resolution]
    floor = 10.0 ** (np.floor(np.log10(min(some))) - 1)
    for value, name in ((floor, "bit-identical"), (resolution, f"{dtype}\nresolution")):
        axes.axhline(value, color=style.FAINT, linewidth=1, linestyle=(0, (1, 2)))
        beside: dict[str, Any] = {"va": "center", "transform": axes.get_yaxis_transform()}
        axes.text(1.012, value, name, color=style.GREY, fontsize=7.5, **beside)
    shown = np.maximum(differences, floor)
    axes.plot(epochs, shown, color=style.INK, linewidth=1, marker="o", markersize=3)
    axes.set_ylim(floor / 3, max(some) * 10)
    axes.set_yscale("log")
    first, last = int(np.log10(floor)) + 1, int(np.ceil(np.log10(max(some))))
    powers = range(first, last + 1, 1 + (last - first) // 4)
    ticks = [floor, *(10.0**power for power in powers)]
    axes.set_yticks(ticks, ["0", *map(power_of_ten, powers)])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.locator_params(axis="x", integer=True)
