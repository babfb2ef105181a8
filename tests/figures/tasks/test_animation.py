from pathlib import Path

import numpy as np
from PIL import Image

from stages.figures.tasks.animation import write_gif

RED, GREEN, WHITE = (213, 94, 0, 255), (0, 158, 115, 255), (255, 255, 255, 255)


def frame(*boxes: tuple[int, int, tuple[int, int, int, int]]) -> np.ndarray:
    """A white frame with squares of 10 pixels at (row, column)."""
    pixels = np.full((40, 60, 4), WHITE, np.uint8)
    for row, column, colour in boxes:
        pixels[row : row + 10, column : column + 10] = colour
    return pixels


def test_frames_come_back_as_they_were_written(tmp_path: Path) -> None:
    frames = [
        frame((0, 0, RED)),
        frame((0, 0, RED), (20, 45, GREEN)),
        frame((5, 7, GREEN)),
        frame(),
    ]
    path = tmp_path / "deep" / "moving.gif"
    write_gif(path, frames, milliseconds=80, pause=2000)
    with Image.open(path) as animation:
        assert animation.n_frames == len(frames)
        assert animation.info["loop"] == 0
        durations = []
        for index, expected in enumerate(frames):
            animation.seek(index)
            durations.append(animation.info["duration"])
            np.testing.assert_array_equal(np.asarray(animation.convert("RGBA")), expected)
    assert durations == [80, 80, 80, 2000]


def test_a_frame_without_a_change_still_takes_its_time(tmp_path: Path) -> None:
    path = tmp_path / "still.gif"
    write_gif(path, [frame((3, 3, RED))] * 3, milliseconds=50, pause=100)
    content = path.read_bytes()
    assert content.count(b"\x21\xf9\x04") == 3  # one graphic control extension a frame
    with Image.open(path) as animation:
        animation.seek(animation.n_frames - 1)
        np.testing.assert_array_equal(np.asarray(animation.convert("RGBA")), frame((3, 3, RED)))
