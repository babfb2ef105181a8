"""The look of every picture: the style sheet, the colours, and how a picture is saved.

The colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color), which people with any kind
of colour vision can tell apart. NumPy is blue and torch is orange everywhere, drawn as a dashed
line over a solid one, so that both can be seen where they agree.
"""

import io
import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike
from PIL import Image

from stages.figures.numbers import written
from stages.figures.palette import Pixels, cells, find_palette
from stages.figures.scale import powers
from stages.task.files import write_file

WIDTH = 8.0  # inches; with DPI twice the 800 pixels that a README is wide
DPI = 200

INK = "#262626"
GREY = "#6b6b6b"  # of small text: 5 to 1 on white
FAINT = "#8c8c8c"
BLUE, SKY, YELLOW = "#0072B2", "#56B4E9", "#F0E442"
VERMILION, ORANGE, PURPLE = "#D55E00", "#E69F00", "#CC79A7"

matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
        "font.size": 9,
        "axes.labelsize": 9,
        "axes.titlesize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8.5,
        "text.color": INK,
        "text.parse_math": False,  # names of columns are data: a dollar sign is a dollar sign
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.linewidth": 0.8,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.6,
        "axes.formatter.use_mathtext": False,
        "legend.frameon": False,
        "lines.solid_capstyle": "round",
    }
)

TWIN_NAMES = {"numpy": "NumPy", "torch": "PyTorch"}
TWIN_COLOURS = {"numpy": BLUE, "torch": VERMILION}


def solid(colour: str) -> dict[str, Any]:
    """A line of the NumPy twin: wide, so that torch's line on top of it leaves it in sight."""
    return {"color": colour, "linewidth": 3.4, "linestyle": "-"}


def dashed(colour: str) -> dict[str, Any]:
    """A line of the torch twin."""
    return {"color": colour, "linewidth": 1.5, "linestyle": (0, (3, 2))}


TWIN_LINES = {"numpy": solid(BLUE), "torch": dashed(VERMILION)}
TEST_LINES = {"numpy": solid(SKY), "torch": dashed(ORANGE)}  # a lighter shade for the test part


def scale(axes: Axes) -> float:
    """The factor for lines and markers: below 1 in axes less than half a page wide."""
    return min(1.0, 0.45 + 0.16 * width(axes))


def width(axes: Axes) -> float:
    """The width of axes in inches."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.bbox.width / figure.dpi)


def scaled(look: dict[str, Any], axes: Axes) -> dict[str, Any]:
    """The look of a line, finer in small axes."""
    return {**look, "linewidth": look["linewidth"] * scale(axes)}


# Classes: dark and light in turn, and never the blue and orange of the twins.
CLASS_COLOURS = ("#762A83", "#5AAE61", "#E8C51C", "#444444", "#D98CB3", "#1B5E3A")
CLASS_MARKERS = ("o", "^", "s", "D", "v", "P")


def class_colour(index: int) -> str:
    """The colour of a class."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def class_marker(index: int) -> str:
    """The marker of a class: the pair of colour and marker repeats after 36 classes."""
    return CLASS_MARKERS[(index + index // len(CLASS_COLOURS)) % len(CLASS_MARKERS)]


def tint(colour: str, strength: float) -> str:
    """`colour` on white paper: strength 1 is the colour itself, 0 is white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def log_axis(axes: Axes, shown: ArrayLike | None = None) -> None:
    """A log scale on the y axis, labelled at powers of ten, or closer where there are few.

    shown: the values that have to be inside; those of the lines if None
    """
    if shown is None:
        shown = np.concatenate([line.get_ydata() for line in axes.lines])
    values = np.asarray(shown, np.float64)
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (values.min(), values.max()) if len(values) else (0.1, 10.0)
    decades = math.log10(high) - math.log10(low)
    margin = max(0.05 * decades, 0.02)
    # The loss of a training that diverges ends near the largest float, 1.8e308.
    low = 10 ** max(math.log10(low) - margin, -300.0)
    high = 10 ** min(math.log10(high) + margin, 307.0)
    axes.set_ylim(low, high)  # first, as the scale's own choice of limits would overflow
    axes.set_yscale("log")
    ticks = powers(low, high)
    axes.set_yticks(ticks, [written(tick, 3) for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def save(drawn: Figure, path: Path, *below: Figure) -> None:
    """Writes figures of one width, one below the other, as PNG.

    It is without date or version: the same figures are the same bytes.
    """
    rows = [_pixels(drawn)]
    gap = np.full((DPI // 6, rows[0].shape[1]), 0xFFFFFFFF, "<u4")  # white
    for figure in below:
        rows += [gap, _pixels(figure)]
    colours = np.concatenate(rows)
    palette, entry = find_palette(colours, 256)
    image = Image.fromarray(entry[cells(colours)])
    image.putpalette(palette)
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=6, dpi=(DPI, DPI))
    write_file(path, content.getvalue())


def _pixels(drawn: Figure) -> Pixels:
    canvas: Any = FigureCanvasAgg(drawn)  # has no types
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).view("<u4")[..., 0]
