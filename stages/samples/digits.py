"""Small images of the ten digits in the font of matplotlib, each shifted, scaled and noisy."""

from pathlib import Path
from typing import Annotated

import matplotlib
import numpy as np
from annotated_types import Ge, Gt, Le
from matplotlib.ft2font import FT2Font, LoadFlags
from numpy.typing import NDArray

FINE = 390  # pixels along a side of the drawings that are scaled down: the highest digit fits


def generate(
    random: np.random.Generator,
    *,
    samples: Annotated[int, Ge(20), Le(10**6)] = 2000,  # ten million of the default size take 12 GB
    size: Annotated[int, Ge(4), Le(64)] = 12,
    smallest: Annotated[float, Gt(0), Le(1)] = 0.7,
    shift: Annotated[float, Ge(0)] = 1.5,
    noise: Annotated[float, Ge(0)] = 0.3,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Images of 0, 1, ..., 9, 0, 1, ... of size x size pixels: paper is 0 and ink is 1.

    A digit is as high as a share of the image, uniform from `smallest` to 1, and its middle is up
    to `shift` pixels away from that of the image in each direction, uniformly. Uniform noise raises
    or lowers each pixel by at most `noise`.

    Everything is integers and what IEEE 754 rounds correctly, the same bytes on every machine.

    Returns pixel_<row>_<column>, row by row from the top, and digit: (samples,) each.
    """
    digit = np.arange(samples) % 10
    height = size * (1 - (1 - smallest) * random.random(samples))
    middle = size / 2 + shift * (2 * random.random((2, samples)) - 1)
    fine = FINE / height  # pixels of a drawing in one of the image
    edges = (np.arange(size + 1) - middle[..., None]) * fine[:, None] + FINE / 2
    rows, columns = np.rint(edges).clip(0, FINE).astype(np.int64)
    # The ink above and left of each corner of a pixel gives that within it.
    corners = _drawings()[digit[:, None, None], rows[:, :, None], columns[:, None, :]]
    ink = np.diff(np.diff(corners, axis=1), axis=2) / (255 * fine * fine)[:, None, None]
    images = ink + noise * (2 * random.random(ink.shape) - 1)
    pixels = {
        f"pixel_{row}_{column}": images[:, row, column]
        for row in range(size)
        for column in range(size)
    }
    return pixels | {"digit": digit}


def _drawings() -> NDArray[np.int64]:
    """(10, FINE + 1, FINE + 1): the ink of each digit above and left of each corner, in 1/255."""
    font = FT2Font(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))
    font.set_size(512, 72)
    drawings = np.zeros((10, FINE + 1, FINE + 1), np.int64)
    for digit, drawing in enumerate(drawings):
        font.set_text(str(digit), flags=LoadFlags.NO_HINTING)
        font.draw_glyphs_to_bitmap()  # in FreeType's integers
        ink = np.asarray(font.get_image())
        top, left = (1 + (FINE - length) // 2 for length in ink.shape)
        drawing[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return drawings.cumsum(axis=1).cumsum(axis=2)
