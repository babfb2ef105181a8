"""Adagrad: closed forms, its refusals, and many runs at once."""

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import adagrad
from stages.optim.adagrad import Adagrad


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adagrad)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_first_step_is_the_learning_rate() -> None:
    p = np.zeros(3)
    Adagrad(lr=0.25, eps=0.0)(p, np.array([1e-3, 1.0, -7.0]))
    np.testing.assert_allclose(p, [-0.25, -0.25, 0.25], rtol=1e-15)


def test_steps_along_a_constant_gradient_fall_with_the_root_of_their_number() -> None:
    p = np.zeros(1)
    optimizer = Adagrad(lr=0.5, eps=0.0)
    for step in range(1, 11):
        before = p.copy()
        optimizer(p, np.full(1, -3.0))
        assert p - before == pytest.approx(0.5 / step**0.5, rel=1e-14)


def test_the_sum_of_squares_starts_where_it_is_told() -> None:
    p = np.zeros(1)
    Adagrad(lr=1.0, initial_accumulator_value=16.0, eps=1.0)(p, np.array([3.0]))
    assert p == -3 / (5 + 1)


def test_the_learning_rate_decays_from_the_second_step() -> None:
    p = np.zeros(1)
    optimizer = Adagrad(lr=1.0, lr_decay=0.5, initial_accumulator_value=9.0, eps=0.0)
    optimizer(p, np.array([4.0]))
    assert p == -4 / 5
    before = p.copy()
    optimizer(p, np.array([12.0]))
    assert before - p == pytest.approx(12 / 13 / 1.5, rel=1e-15)


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    Adagrad(lr=1.0, weight_decay=0.5, initial_accumulator_value=7.0, eps=0.0)(p, np.array([2.0]))
    assert p == 2 - 3 / 4


def test_maximize_is_the_way_up() -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    gradient = np.array([3.0, -5.0])
    climb, descend = Adagrad(0.1, maximize=True), Adagrad(0.1)
    for _ in range(3):
        climb(up, gradient)
        descend(down, -gradient)
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Adagrad(0.1, weight_decay=0.1, maximize=True)
    gradient = np.array([1.0, -2.0])
    for _ in range(3):
        optimizer(np.ones(2), gradient)
    np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize(
    "name", ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"]
)
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_numbers_are_refused_as_by_torch(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.Adagrad([torch.zeros(1)], **{name: value})
    with pytest.raises(ValueError, match=f"^{name} must be at least 0, got {value}$"):
        Adagrad(**{name: value})


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "lr_decay": EIGHT},
        {"lr": EIGHT, "lr_decay": EIGHT[::-1]},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4)},
        {"lr": 0.1, "initial_accumulator_value": EIGHT},
        {"lr": 0.1, "eps": EIGHT / 100, "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(Adagrad, variant, dtype)
