"""An animated GIF from frames, small and in little time.

Pillow's own writer searches every frame for its colours and for where it differs from the one
before. These frames come from one figure: one palette serves them all, and only the box that
changed is searched.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from stages.figures.palette import cells, find_palette
from stages.task.files import write_file

# 64 colours are enough for a drawing of this size; the last one stands for "as it was before".
TRANSPARENT = 63

Frame = NDArray[np.uint8]  # (height, width, 4): red, green, blue, and opacity, which is not used


def write_gif(path: Path, frames: Sequence[Frame], milliseconds: int, pause: int) -> None:
    """Writes frames of one size as a GIF that loops forever.

    milliseconds: how long a frame is shown; pause: how long the last one is
    """
    pixels = [np.ascontiguousarray(frame).view("<u4")[..., 0] for frame in frames]
    # The first, the middle and the last frame have the colours of all of them.
    few = [pixels[0], pixels[len(pixels) // 2], pixels[-1]]
    palette, entry = find_palette(np.stack(few), TRANSPARENT)
    first = Image.fromarray(entry[cells(pixels[0])])
    first.putpalette(palette)

    content = list(GifImagePlugin.getheader(first, info={"loop": 0})[0])
    for index, now in enumerate(pixels):
        duration = pause if index == len(pixels) - 1 else milliseconds
        if index == 0:
            content += GifImagePlugin.getdata(first, duration=duration)
            continue
        changed = now != pixels[index - 1]
        part = np.full(now.shape, TRANSPARENT, np.uint8)
        part[changed] = entry[cells(now[changed])]
        box = _around(changed)
        content += GifImagePlugin.getdata(
            Image.fromarray(part[box]),
            (box[1].start, box[0].start),
            duration=duration,
            transparency=TRANSPARENT,
            disposal=1,  # the frame stays, and the next one is drawn over it
        )
    write_file(path, b"".join(content) + b";")


def _around(changed: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns of the box around all pixels that changed; one pixel if none did."""
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
