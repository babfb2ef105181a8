"""drift.png: how far the twins drift apart in a long training, each in its native arithmetic."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from stages.figures import layout, style
from stages.figures.numbers import power_of_ten
from stages.task.files import History

Array = NDArray[np.float64]

RESOLUTION = float(np.finfo(np.float64).eps)
COLOURS = (style.class_colour(0), "#b07d00", style.class_colour(5), "#c45a93")


def draw_drift(drift: History) -> Figure:
    """The relative difference of the parameters by step, a line for each optimizer.

    drift: the column "step", and one for each optimizer; NaN is not drawn, nor is the start, where
        nothing has been computed yet
    """
    started = np.array(drift["step"]) > 0
    optimizers = {name: np.array(values)[started] for name, values in drift.items()}
    steps = optimizers.pop("step")
    figure = layout.empty(3.6)
    # Zero has no place on a log axis: it gets a strip of its own, below a break in the axis.
    axes, strip = figure.subplots(2, 1, sharex=True, height_ratios=(10, 1))
    figure.subplots_adjust(left=0.1, right=0.86, bottom=0.125, top=0.97, hspace=0.08)

    reference: dict[str, Any] = {"color": style.FAINT, "linestyle": (0, (1, 2)), "linewidth": 1}
    axes.axhline(RESOLUTION, **reference)
    ends = {"float64\nresolution": RESOLUTION}
    for index, (name, values) in enumerate(optimizers.items()):
        look: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)], "markeredgewidth": 0}
        positive = np.where(values > 0, values, np.nan)
        axes.plot(steps, positive, "o-", linewidth=1.3, markersize=2, **look)
        same = steps[values == 0]
        # Where several are bit-identical, the dot of a later one lies on that of an earlier one.
        size = 6 - 3 * index / max(len(optimizers) - 1, 1)
        strip.plot(same, np.zeros(len(same)), "o", markersize=size, **look)
        different = np.flatnonzero(values > 0)
        if len(different):
            end = different[-1]
            axes.plot(steps[end], values[end], "o", markersize=4.5, clip_on=False, **look)
            ends[name] = float(values[end])
    everything = np.concatenate([[RESOLUTION], *optimizers.values()])
    _log_axes(axes, steps, everything[everything > 0])
    axes.set_ylabel("relative difference\nof the parameters")
    _write_beside(axes, ends)

    strip.set(ylim=(-1, 1), yticks=[0], yticklabels=["0"], xlabel="step")
    never = [f"{name} bit-identical" for name in optimizers if name not in ends]
    _write_beside(strip, {"\n".join(never) or "bit-identical": 0})
    _join(axes, strip)
    return figure


def _log_axes(axes: Axes, steps: Array, values: Array) -> None:
    """Log scales from the first to the last step, and between the powers of ten around values."""
    axes.set(xscale="log", yscale="log")
    start, stop = int(steps.min()), int(steps.max())
    axes.set_xlim(0.9 * start, stop if stop > start else 10 * stop)
    powers = (10**exponent for exponent in range(16))
    ticks = [start, *(power for power in powers if 2 * start < power < stop / 2), stop]
    axes.set_xticks(ticks, map(str, ticks))
    first, last = math.floor(np.log10(values.min())), math.ceil(np.log10(values.max()))
    axes.set_ylim(10.0**first, 10.0**last)
    exponents = range(first, last + 1, 1 + (last - first) // 6)
    axes.set_yticks([10.0**exponent for exponent in exponents], map(power_of_ten, exponents))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())


def _write_beside(axes: Axes, texts: dict[str, float]) -> None:
    """Writes texts beside the axes at their values, moved up where they would overlap."""
    line = 0.145 / (axes.bbox.height / style.DPI)  # the height of a line, as a share of the axes'
    free = -math.inf
    for text, value in sorted(texts.items(), key=lambda item: item[1]):
        place = axes.transData.transform((axes.get_xlim()[1], value))
        size = line * (1 + text.count("\n"))
        middle = max(axes.transAxes.inverted().transform(place)[1], free + size / 2)
        free = middle + size / 2
        beside: dict[str, Any] = {"va": "center", "fontsize": 8, "transform": axes.transAxes}
        axes.text(1.015, middle, text, **beside)


def _join(above: Axes, below: Axes) -> None:
    """Makes two axes one, with a break between them."""
    above.spines["bottom"].set_visible(False)
    above.tick_params(bottom=False)
    stroke: dict[str, Any] = {"marker": [(-1, -0.5), (1, 0.5)], "markersize": 7, "clip_on": False}
    for axes, y in ((above, 0), (below, 1)):
        axes.plot(0, y, color=style.FAINT, transform=axes.transAxes, **stroke)
