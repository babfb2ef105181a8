import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.samples.line import generate


def test_x_is_equally_spaced_and_noise_lies_between_none_and_all_of_it():
    columns = generate(np.random.default_rng(1))
    assert list(columns) == ["x", "y"]
    x, y = columns.values()
    np.testing.assert_array_equal(x, np.linspace(0, 10, 1100))
    noise = y - (10 * x + 5)
    assert noise.min() >= 0
    assert noise.max() < 5


def test_noise_is_uniform():
    x, y = generate(np.random.default_rng(1), samples=100_000, slope=-2, noise=3).values()
    share = (y - (-2 * x + 5)) / 3
    # The largest distance between the observed and the uniform distribution; by Kolmogorov it
    # exceeds 2/√samples once in 1500 draws.
    assert np.abs(np.sort(share) - np.linspace(0, 1, 100_000)).max() < 2 / np.sqrt(100_000)


def test_least_squares_finds_the_line_raised_by_half_the_noise():
    x, y = generate(np.random.default_rng(1), samples=100_000).values()
    slope, intercept = np.polyfit(x, y, 1)
    # The noise has standard deviation 5/√12, x has 10/√12: four standard errors of either.
    assert slope == pytest.approx(10, abs=4 * 0.5 / np.sqrt(100_000))
    assert intercept == pytest.approx(5 + 5 / 2, abs=4 * 2 * 1.44 / np.sqrt(100_000))


@given(
    samples=st.integers(2, 50),
    start=st.floats(-10, 10),
    stop=st.floats(-10, 10),
    slope=st.floats(-10, 10),
    intercept=st.floats(-10, 10),
)
def test_without_noise_it_is_the_line(samples, start, stop, slope, intercept):
    x, y = generate(
        np.random.default_rng(0),
        samples=samples,
        start=start,
        stop=stop,
        slope=slope,
        intercept=intercept,
        noise=0,
    ).values()
    assert len(x) == samples
    assert (x[0], x[-1]) == (start, stop)
    np.testing.assert_array_equal(y, slope * x + intercept)
