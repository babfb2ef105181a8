"""The arithmetic that the optimizers share."""

import numpy as np
import pytest

from stages.optim.arithmetic import Lerp, each, power, rounded, single


def interpolated(start: list[float], end: list[float], weight: float, dtype: str) -> np.ndarray:
    begin, finish = np.array(start, dtype), np.array(end, dtype)
    Lerp(weight, begin)(begin, finish, np.empty_like(begin))
    return begin


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_lerp_meets_both_ends_exactly(dtype: str) -> None:
    start, end = [0.1, 1e20, -3.0], [0.7, 1.0, 1e-20]
    np.testing.assert_array_equal(interpolated(start, end, 0.0, dtype), np.array(start, dtype))
    np.testing.assert_array_equal(interpolated(start, end, 1.0, dtype), np.array(end, dtype))


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.75])
def test_lerp_is_linear(weight: float) -> None:
    np.testing.assert_array_equal(
        interpolated([0.0, 4.0], [8.0, -4.0], weight, "float64"), [8 * weight, 4 - 8 * weight]
    )


def test_lerp_with_a_weight_for_each_run() -> None:
    start, end = np.zeros((3, 2)), np.full((3, 2), 8.0)
    Lerp(np.array([0.25, 0.5, 0.75]), start)(start, end, np.empty_like(start))
    np.testing.assert_array_equal(start, [[2, 2], [4, 4], [6, 6]])
    np.testing.assert_array_equal(end, np.full((3, 2), 8.0))


def test_powers_are_those_of_python() -> None:
    bases = np.linspace(0.5, 0.9999, 200)
    for exponent in (1, 2, 7, 300, 0.5):
        expected = [float(base) ** exponent for base in bases]
        np.testing.assert_array_equal(power(bases, exponent), expected)
        assert [power(float(base), exponent) for base in bases] == expected


def test_exponents_may_differ_from_run_to_run() -> None:
    exponents = np.array([0.0, 0.5, 3.0, 1.25])
    expected = [0.96 ** float(exponent) for exponent in exponents]
    np.testing.assert_array_equal(power(0.96, exponents), expected)


def test_a_function_of_hyperparameters_sees_numbers_of_python() -> None:
    def total(*values: float) -> float:
        assert {type(value) for value in values} == {float}
        return sum(values)

    assert each(total, 1, np.float64(2.0)) == 3
    np.testing.assert_array_equal(each(total, np.array([1.0, 2.0]), 3.0), [4, 5])


def test_single_precision() -> None:
    assert single(0.1) == float(np.float32(0.1)) != 0.1
    rounded_each = single(np.array([0.1, 0.5]))
    assert rounded_each.dtype == np.float64
    np.testing.assert_array_equal(rounded_each, [float(np.float32(0.1)), 0.5])


def test_hyperparameters_take_the_dtype_and_a_column_for_runs() -> None:
    parameters = np.zeros((2, 3), np.float32)
    assert rounded(0.1, parameters) == np.float32(0.1)
    column = rounded(np.array([0.1, 0.2]), parameters)
    assert column.dtype == np.float32
    np.testing.assert_array_equal(column, np.array([[0.1], [0.2]], np.float32))
