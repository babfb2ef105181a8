import numpy as np
import pytest

from stages.figures.numbers import written
from stages.figures.scale import Scale, powers, scale_of, scale_of_cells


@pytest.mark.parametrize(
    ("values", "by"),
    [
        (np.geomspace(1e-4, 10, 32), "logarithm"),
        ([0.01, 0.1, 1], "logarithm"),
        ([0.1, 1], "logarithm"),
        (np.exp(np.random.default_rng(1).uniform(-9, 2, 50)), "logarithm"),
        (np.linspace(0.01, 1, 30), "value"),
        (np.random.default_rng(1).uniform(0.001, 1, 50), "value"),
        ([0.0, 0.5, 0.9], "value"),
        ([0.1, 0.4, 0.7, 1.0], "value"),
        ([-1.0, 0.1, 10], "value"),
        ([0.3], "value"),
    ],
)
def test_values_lie_as_they_are_spread(values: list[float], by: str) -> None:
    assert scale_of(np.array(values)).by == by


def test_cells_of_unevenly_spaced_values_are_of_one_size() -> None:
    betas = np.array([0.9, 0.0, 0.999, 0.99])
    scale = scale_of_cells(betas)
    assert scale.by == "rank"
    np.testing.assert_array_equal(scale.places(betas), [1, 0, 3, 2])
    np.testing.assert_array_equal(scale.bounds(), [-0.5, 0.5, 1.5, 2.5, 3.5])
    places, labels = scale.ticks(-0.5, 3.5)
    assert dict(zip(places, labels, strict=True)) == {0: "0", 1: "0.9", 2: "0.99", 3: "0.999"}


def test_cells_of_many_evenly_spaced_values_are_at_their_places() -> None:
    assert scale_of_cells(np.linspace(0, 1, 8)).by == "rank"
    assert scale_of_cells(np.linspace(0, 1, 9)).by == "value"
    assert scale_of_cells(np.geomspace(1, 100, 9)).by == "logarithm"


def test_many_ranks_are_not_all_written() -> None:
    scale = Scale(np.arange(30.0) ** 2, "rank")
    places, labels = scale.ticks(-0.5, 29.5)
    assert 4 <= len(places) <= 8
    assert labels == [written(float(scale.values[place]), 3) for place in places]


def test_bounds_are_halfway_between_the_places() -> None:
    np.testing.assert_allclose(Scale(np.array([1.0, 3, 4]), "value").bounds(), [0, 2, 3.5, 4.5])
    np.testing.assert_allclose(
        Scale(np.array([0.1, 10]), "logarithm").bounds(), [-2, 0, 2], atol=1e-15
    )
    np.testing.assert_allclose(Scale(np.array([0.25]), "value").bounds(), [-0.25, 0.75])


@pytest.mark.parametrize(
    ("low", "high"), [(1e-4, 100), (0.02, 3), (0.5, 4), (1.02, 1.04), (2, 2), (1e-300, 1e300)]
)
def test_a_few_ticks_are_between_the_ends(low: float, high: float) -> None:
    ticks = powers(low, high)
    assert 1 <= len(ticks) <= 7
    assert low <= ticks.min() <= ticks.max() <= high
    if high / 1000 > low:
        np.testing.assert_allclose(np.log10(ticks), np.log10(ticks).round(), atol=1e-9)


def test_ticks_say_what_is_at_their_places() -> None:
    logarithms = Scale(np.geomspace(0.001, 10, 5), "logarithm")
    places, labels = logarithms.ticks(-3, 1)
    np.testing.assert_allclose(10**places, [float(label) for label in labels])
    themselves = Scale(np.linspace(-0.5, 0.95, 5), "value")
    places, labels = themselves.ticks(-0.5, 0.95)
    np.testing.assert_allclose(places, [float(label) for label in labels])


def test_five_powers_are_all_written() -> None:
    np.testing.assert_allclose(powers(7e-4, 14), [0.001, 0.01, 0.1, 1, 10])
    np.testing.assert_allclose(powers(7e-5, 14), [1e-4, 0.01, 1])
    np.testing.assert_allclose(powers(0.02, 0.7), [0.03, 0.1, 0.3])
