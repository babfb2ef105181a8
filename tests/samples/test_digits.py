import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.samples.digits import generate


def images(seed: int = 1, **options) -> tuple[np.ndarray, np.ndarray]:
    *pixels, digit = generate(np.random.default_rng(seed), **options).values()
    size = round(len(pixels) ** 0.5)
    return np.stack(pixels, axis=1).reshape(-1, size, size), digit


@settings(max_examples=10)
@given(samples=st.integers(20, 60), size=st.integers(4, 20))
def test_there_is_a_column_for_each_pixel_and_every_digit_comes_as_often(samples, size):
    columns = generate(np.random.default_rng(1), samples=samples, size=size)
    *names, last = columns
    assert names == [f"pixel_{row}_{column}" for row in range(size) for column in range(size)]
    assert last == "digit"
    np.testing.assert_array_equal(columns["digit"], np.arange(samples) % 10)


def test_without_shift_scale_and_noise_every_image_of_a_digit_is_the_same_drawing():
    drawn, digit = images(samples=40, size=16, smallest=1, shift=0, noise=0)
    for number in range(10):
        same = drawn[digit == number]
        np.testing.assert_array_equal(same, same[:1].repeat(len(same), axis=0))
        others = drawn[:10][np.arange(10) != number]
        assert (np.abs(others - same[0]).mean(axis=(1, 2)) > 0.05).all()
    assert drawn.min() == 0
    assert 0.9 < drawn.max() < 1.1
    # A digit touches the upper and the lower edge, to a pixel, and is symmetric if its shape is.
    assert (drawn.max(axis=2)[:, [0, -1]] > 0.2).all()
    for symmetric in (0, 8):
        np.testing.assert_allclose(drawn[symmetric], drawn[symmetric][:, ::-1], atol=0.12)
    # A six turned around is a nine.
    np.testing.assert_allclose(drawn[6], drawn[9][::-1, ::-1], atol=0.25)


def test_the_ink_of_a_digit_grows_with_the_square_of_its_height():
    ink = {
        smallest: images(samples=2000, size=24, smallest=smallest, shift=0, noise=0)[0].sum((1, 2))
        for smallest in (0.5, 1)
    }
    shares = (ink[0.5] / ink[1])[:2000]
    # Heights are uniform from 1/2 to 1, so the mean of their squares is 7/12.
    assert shares.min() == pytest.approx(0.25, abs=0.02)
    assert shares.max() == pytest.approx(1, abs=0.02)
    assert shares.mean() == pytest.approx(7 / 12, abs=0.02)


def test_a_shift_moves_the_middle_evenly_in_each_direction():
    drawn, _ = images(samples=2000, size=24, smallest=0.5, shift=3, noise=0)
    still, _ = images(samples=2000, size=24, smallest=0.5, shift=0, noise=0)
    inside = (still.max(axis=2) > 0).sum(axis=1) <= 18  # no shift moves them over an edge
    drawn, still = drawn[inside], still[inside]
    places = np.arange(24) + 0.5
    for axis in (1, 2):
        along = 3 - axis
        moved, there = ((each.sum(along) @ places) / each.sum((1, 2)) for each in (drawn, still))
        shift = moved - there
        assert shift.min() == pytest.approx(-3, abs=0.1)
        assert shift.max() == pytest.approx(3, abs=0.1)
        assert shift.std() == pytest.approx(3 / np.sqrt(3), rel=0.05)


def test_noise_is_uniform_on_every_pixel():
    noisy, _ = images(samples=200, noise=0.3)
    exact, _ = images(samples=200, noise=0)
    noise = noisy - exact
    assert np.abs(noise).max() <= 0.3 + 1e-12
    assert noise.mean() == pytest.approx(0, abs=0.005)
    assert noise.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.02)


def test_images_are_the_same_bytes_on_every_machine():
    drawn, _ = images(samples=200)
    assert hashlib.sha256(drawn.tobytes()).hexdigest()[:16] == "318584736d0b74b7"
