"""Drawings in at most 256 colours: a third of the size, and to the eye the same."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint32]  # four bytes as one number: red the lowest, then green, blue, opacity


def find_palette(pixels: Pixels, size: int) -> tuple[bytes, NDArray[np.uint8]]:
    """The most frequent colours, and which of them stands for every other.

    In a drawing these are its flat colours, which stay exactly what they are, and then the blends
    along its edges.

    returns: the palette as bytes, red, green, blue; and (32768,), for each cell of colours (see
        `cells`) the nearest of the palette's first `size` entries
    """
    some = pixels.ravel()[::7]  # enough to find every colour that matters
    cell = cells(some)
    counts = np.bincount(cell, minlength=32768)
    popular = np.argsort(-counts, kind="stable")[:size]
    popular = popular[counts[popular] > 0]
    sums = [np.bincount(cell, some >> shift & 255, minlength=32768) for shift in (0, 8, 16)]
    colours = np.stack([total[popular] / counts[popular] for total in sums], axis=-1).round()
    palette = np.empty((256, 3), np.uint8)
    palette[:] = colours[0]
    palette[: len(popular)] = colours

    every = np.arange(32768)
    spectrum = np.stack([every & 31, every >> 5 & 31, every >> 10], axis=-1) * 255 // 31
    image = Image.new("P", (1, 1))
    image.putpalette(palette.tobytes())
    wanted = Image.fromarray(spectrum.astype(np.uint8).reshape(128, 256, 3))
    entry = np.array(wanted.quantize(palette=image, dither=Image.Dither.NONE)).reshape(-1)
    entry[popular] = np.arange(len(popular))
    entry[entry >= len(popular)] = 0  # the rest of the palette only repeats its first colour
    return palette.tobytes(), entry


def cells(pixels: Pixels) -> NDArray[np.integer]:
    """Colours as numbers below 32768: the highest five bits each of blue, green and red."""
    return pixels >> 3 & 0x1F | pixels >> 6 & 0x3E0 | pixels >> 9 & 0x7C00
