import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.samples.moons import generate


@given(st.integers(4, 101))
def test_without_noise_the_samples_lie_on_two_half_circles(samples):
    columns = generate(np.random.default_rng(1), samples=samples, noise=0)
    assert list(columns) == ["x1", "x2", "class"]
    x1, x2, label = columns.values()
    upper, lower = label == 0, label == 1
    assert (upper.sum(), lower.sum()) == (samples // 2, samples - samples // 2)
    np.testing.assert_allclose(np.hypot(x1, x2)[upper], 1)
    np.testing.assert_allclose(np.hypot(x1 - 1, x2 - 0.5)[lower], 1)
    assert x2[upper].min() >= 0
    assert x2[lower].max() <= 0.5


def test_each_half_circle_has_an_end_within_the_other():
    x1, x2, label = generate(np.random.default_rng(1), samples=400, noise=0).values()
    assert (np.hypot(x1, x2)[label == 1] < 0.6).any()
    assert (np.hypot(x1 - 1, x2 - 0.5)[label == 0] < 0.6).any()


def test_noise_is_normal_in_each_direction():
    samples = 40_000
    noisy = generate(np.random.default_rng(1), samples=samples, noise=0.15)
    exact = generate(np.random.default_rng(1), samples=samples, noise=0)
    for axis in ("x1", "x2"):
        noise = noisy[axis] - exact[axis]
        assert noise.mean() == pytest.approx(0, abs=4 * 0.15 / np.sqrt(samples))
        assert noise.std() == pytest.approx(0.15, rel=4 / np.sqrt(2 * samples))
