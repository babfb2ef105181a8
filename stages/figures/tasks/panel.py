"""What a panel is: a trained model in one set of axes, at any moment of its training.

A panel shows both twins and is drawn once; `show` then moves only what the training moves. So the
same panel serves as a picture of the end, as six small ones in a strip, and as an animation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from matplotlib.artist import Artist


@dataclass
class Panel:
    """A panel at one of the moments that it was made for.

    show: shows the moment at an index of these moments
    moving: what `show` changes, from back to front
    key: what a legend has to explain, lines or points of the twins first
    left, bottom: the room that the labels of its axes need, in inches
    """

    show: Callable[[int], None]
    moving: list[Artist]
    key: list[Artist] = field(default_factory=list)
    left: float = 0.7
    bottom: float = 0.48


def dots(colour: str, size: float, label: str) -> dict[str, Any]:
    """The look of samples."""
    face = {"markerfacecolor": colour, "markeredgewidth": 0}
    return {"marker": "o", "linestyle": "", "markersize": size, **face, "label": label}
