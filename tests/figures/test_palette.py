import numpy as np

from stages.figures.palette import cells, find_palette


def test_flat_colours_stay_what_they_are_and_rare_ones_become_the_nearest() -> None:
    white, blue, nearly_white = 0xFFFFFFFF, 0xFFB27200, 0xFFF0F0F0
    pixels = np.full((100, 100), white, np.uint32)
    pixels[:40] = blue
    palette, entry = find_palette(pixels, 4)
    pixels[99, 99] = nearly_white
    shown = np.frombuffer(palette, np.uint8).reshape(256, 3)[entry[cells(pixels)]]
    np.testing.assert_array_equal(shown[50, 50], [255, 255, 255])
    np.testing.assert_array_equal(shown[0, 0], [0x00, 0x72, 0xB2])
    np.testing.assert_array_equal(shown[99, 99], [255, 255, 255])


def test_only_the_entries_asked_for_are_used() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 2**32, (100, 100), dtype=np.uint32)
    assert find_palette(pixels, 63)[1].max() < 63
    assert find_palette(np.zeros((10, 10), np.uint32), 63)[1].max() == 0
