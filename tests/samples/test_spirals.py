import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.samples.spirals import generate


@given(arms=st.integers(2, 6), samples=st.integers(3, 40), turns=st.floats(0.1, 3))
def test_without_noise_each_arm_turns_evenly_from_the_origin_to_radius_1(arms, samples, turns):
    columns = generate(
        np.random.default_rng(1), arms=arms, samples_per_arm=samples, turns=turns, noise=0
    )
    assert list(columns) == ["x1", "x2", "class"]
    x1, x2, label = columns.values()
    for arm in range(arms):
        points = (x1 + 1j * x2)[label == arm]
        radius = np.linspace(0, 1, samples)
        np.testing.assert_allclose(np.abs(points), radius, atol=1e-12)
        # The arm unwound is a straight ray in the direction of the arm.
        unwound = points * np.exp(-2j * np.pi * turns * radius)
        np.testing.assert_allclose(unwound, radius * np.exp(2j * np.pi * arm / arms), atol=1e-12)


def test_noise_is_normal_in_each_direction():
    options = {"arms": 4, "samples_per_arm": 10_000}
    noisy = generate(np.random.default_rng(1), **options, noise=0.02)
    exact = generate(np.random.default_rng(1), **options, noise=0)
    for axis in ("x1", "x2"):
        noise = noisy[axis] - exact[axis]
        assert noise.mean() == pytest.approx(0, abs=4 * 0.02 / np.sqrt(40_000))
        assert noise.std() == pytest.approx(0.02, rel=4 / np.sqrt(80_000))
