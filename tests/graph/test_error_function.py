"""The error function against mpmath, to the units in the last place that its module states."""

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
import pytest

from stages.graph.error_function import P, Q, erf

mpmath.mp.dps = 50

Number = mpmath.mpf


def interpolated(function: Callable[[Number], Number], low: float, high: float, n: int) -> list:
    """The n coefficients, highest first, of the polynomial that is right at n Chebyshev nodes."""
    middle, half = Number(low + high) / 2, Number(high - low) / 2
    angles = [mpmath.pi * (2 * k + 1) / (2 * n) for k in range(n)]
    nodes = [middle + half * mpmath.cos(angle) for angle in angles]
    powers = mpmath.matrix([[node**power for power in range(n)] for node in nodes])
    values = mpmath.matrix([function(node) for node in nodes])
    return list(mpmath.lu_solve(powers, values))[::-1]


def near(s: Number) -> Number:
    return mpmath.erf(mpmath.sqrt(s)) / mpmath.sqrt(s)


def far(t: Number) -> Number:
    x = 3 / t - 3
    return mpmath.exp(x * x) * mpmath.erfc(x)


@pytest.mark.parametrize(
    ("coefficients", "function", "low", "high"), [(P, near, 0, 1), (Q, far, 1 / 3, 3 / 4)]
)
def test_the_coefficients_are_what_they_are_said_to_be(
    coefficients: Sequence[float], function: Callable[[Number], Number], low: float, high: float
) -> None:
    expected = interpolated(function, low, high, len(coefficients))
    assert list(coefficients) == pytest.approx([float(number) for number in expected], rel=1e-12)


@pytest.mark.parametrize(("low", "high"), [(1e-300, 1e-3), (0, 1), (1, 1.5), (1.5, 6.5)])
def test_it_is_right_to_less_than_two_units_in_the_last_place(low: float, high: float) -> None:
    x = np.random.default_rng(1).uniform(low, high, 1000)
    x[:2] = low, high
    found = erf(x)
    exact = [mpmath.erf(number) for number in x.tolist()]
    units = zip(found.tolist(), exact, np.spacing(found).tolist(), strict=True)
    assert max(abs(own - true) / unit for own, true, unit in units) < 2
    np.testing.assert_array_equal(erf(-x), -found)


def test_float32_is_rounded_once() -> None:
    x = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    found = erf(x, np.empty_like(x))
    np.testing.assert_array_equal(found, erf(x.astype(np.float64)).astype(np.float32))


def test_it_ends_in_one_and_keeps_what_is_no_number() -> None:
    found = erf(np.array([-np.inf, -6.0, -0.0, 0.0, 6.0, np.inf, np.nan]))
    np.testing.assert_array_equal(found, [-1.0, -1.0, -0.0, 0.0, 1.0, 1.0, np.nan])
    assert np.signbit(found[2])
    assert not np.signbit(found[3])
