"""Pictures as the tests look at them."""

from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image


def drawn(figure: Figure) -> Figure:
    """The figure after it is laid out and drawn. Warnings are errors in these tests."""
    FigureCanvasAgg(figure).draw()
    return figure


def assert_texts_are_readable(figure: Figure) -> None:
    """No text is cut off at the edge of the picture or overlaps another text."""
    drawn(figure)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    boxes = {text: text.get_window_extent() for text in texts}
    for text, box in boxes.items():
        assert box.x0 >= -1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 1, text.get_text()
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 1, f"{one.get_text()!r} lies on {other.get_text()!r}"


def star(axes: Axes) -> tuple[float, float]:
    """Where the star in the axes is."""
    (line,) = (line for line in axes.lines if line.get_marker() == "*")
    return float(line.get_xdata()[0]), float(line.get_ydata()[0])


def assert_is_for_readme(path: Path) -> None:
    """The picture is small, in colour, twice as wide as a README, without date and version."""
    with Image.open(path) as picture:
        assert picture.width == 1600
        assert len(picture.convert("RGB").getcolors(256)) > 10
        assert picture.info.keys() <= {"dpi"}
    assert path.stat().st_size < 150_000


def assert_same_bytes(main: Callable[[], object], paths: Iterable[Path]) -> None:
    """`main` writes the same files whenever it runs."""
    contents = []
    for _ in range(2):
        main()
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def linear(colour: str) -> np.ndarray:
    """(3,): red, green and blue as amounts of light, from 0 to 1."""
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Of two colours, WCAG 2.1: from 1 for equal lightness to 21 for black and white."""
    dark, light = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)
