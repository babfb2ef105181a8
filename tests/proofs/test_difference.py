"""How far apart two results are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.proofs.difference import (
    radii,
    relative_difference,
    relative_drift,
    ulp_along_paths,
    ulp_difference,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0),
        ([0.0], [-0.0], 0),
        ([1.0], [1.1], 0.1 / 1.1),
        ([-4.0, 1.0], [-3.0, 1.0], 0.25),
        ([1.0], [-1.0], 2),
        ([0.0], [1e-300], 1),
        ([1e308], [0.0], 1),
    ],
)
def test_relative_difference(left: list[float], right: list[float], expected: float) -> None:
    for one, other in [(left, right), (right, left)]:
        found = relative_difference(np.array(one), np.array(other))
        assert found == pytest.approx(expected, rel=1e-14)
        assert isinstance(found, float)


def test_relative_difference_of_numbers_whose_difference_overflows() -> None:
    largest = np.finfo(np.float64).max
    assert relative_difference(np.array([largest]), np.array([-largest])) == 2


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_relative_difference_of_what_is_not_finite_is_nan(bad: float) -> None:
    for other in (1.0, bad):
        assert math.isnan(relative_difference(np.array([1.0, bad]), np.array([1.0, other])))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ulp_difference_counts_steps_of_nextafter(dtype: str) -> None:
    for start in (1.0, -1.0, 1e-30, -3e30, 0.0, 2.0 - 1e-7):
        value = np.array([start], dtype)
        moved = value
        for steps in range(6):
            assert ulp_difference(value, moved) == ulp_difference(moved, value) == steps
            moved = np.nextafter(moved, np.array(np.inf, dtype))


def test_ulp_difference_across_zero() -> None:
    smallest = np.nextafter(0.0, 1.0)
    assert ulp_difference(np.array([0.0]), np.array([-0.0])) == 1
    assert ulp_difference(np.array([smallest]), np.array([-smallest])) == 3


def test_ulp_difference_is_the_largest_of_all_elements_and_of_none_is_0() -> None:
    left = np.ones((2, 3))
    right = left.copy()
    right[1, 2] = np.nextafter(1, 2)
    right[0, 0] = np.nextafter(np.nextafter(1, 0), 0)
    assert ulp_difference(left, right) == 2
    assert ulp_difference(left.T, right.T) == 2
    assert ulp_difference(np.zeros(0), np.zeros(0)) == 0
    assert ulp_difference(left.astype(">f8"), right) == 2


@given(FLOATS, FLOATS, FLOATS)
def test_ulp_difference_measures_along_a_line(a: float, b: float, c: float) -> None:
    low, middle, high = (np.array([value]) for value in sorted([a, b, c]))
    whole = ulp_difference(low, high)
    assert whole == ulp_difference(low, middle) + ulp_difference(middle, high)
    assert (whole == 0) == (low.tobytes() == high.tobytes())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ulps_along_a_path_are_those_of_its_largest_value(dtype: str) -> None:
    left = np.array([[1.0, 5.0], [1024.0, 5.0], [0.0, 5.0]], dtype)
    right = left.copy()
    assert ulp_along_paths(left, right) == 0
    right[0, 0] = np.nextafter(left[0, 0], np.inf, dtype=dtype)
    assert ulp_along_paths(left, right) == 1
    right[2, 0] = 3 * np.spacing(left[1, 0])  # as far from 0 as 1024 is from its neighbours, thrice
    assert ulp_along_paths(left, right) == 3


@pytest.mark.parametrize("other", [np.inf, -np.inf, np.nan])
def test_paths_of_which_one_diverges_are_infinitely_far_apart(other: float) -> None:
    left, right = np.ones((3, 2)), np.ones((3, 2))
    left[1:, 0] = right[1:, 0] = other
    assert ulp_along_paths(left, right) == 0
    left[2, 1] = other
    assert ulp_along_paths(left, right) == ulp_along_paths(right, left) == np.inf


def test_what_is_no_number_twice_is_equal() -> None:
    assert ulp_difference(np.array([np.nan]), np.array([-np.nan])) == 0
    assert ulp_difference(np.array([np.nan]), np.array([1.0])) > 2**50


def test_relative_drift_is_that_of_all_parameters_as_one_vector() -> None:
    ours = np.array([[3.0, 4.0], [0.0, 0.0], [np.inf, 1.0], [1.0, 1.0]])
    theirs = np.array([[3.0, 3.0], [0.0, 2.0], [np.inf, 1.0], [1.0, np.nan]])
    found = relative_drift(ours, theirs)
    np.testing.assert_array_equal(found, [0.2, 2.0, np.nan, np.nan])
    runs = np.stack([theirs[0], ours[0]])
    np.testing.assert_array_equal(relative_drift(ours[0], runs), [0.2, 0.0])
    tiny = np.float32(1e-30)  # whose square is 0 in float32
    assert relative_drift(np.array([tiny]), np.array([2 * tiny])) == pytest.approx(1)


@pytest.mark.parametrize(
    ("apart", "cloud", "expected"),
    [
        ([0, 2, 1], [[1, 1], [1, 4], [1, 2]], 0.5),
        ([0, 2, 8], [[1, 1], [1, 4], [0, 0]], 2),  # rounding has come as far as 4
        ([0, 0], [[0, 0], [0, 0]], 0),
        ([0, 1e-9], [[0, 0], [0, 0]], math.inf),
        ([0, 1, math.nan], [[1, 2], [1, 2], [1, 2]], math.inf),
        ([0, 1, math.nan], [[1, 2], [1, 2], [math.inf, 2]], 0.5),
        ([0, 1, math.nan, 5], [[1, 2], [1, 2], [math.nan, 2], [1, 2]], 0.5),
        ([3], [[1, 2]], 1.5),
    ],
)
def test_radii(apart: list[float], cloud: list[list[float]], expected: float) -> None:
    assert radii(np.array(apart, float), np.array(cloud, float)) == expected
