"""Adadelta: closed forms, its refusals, and many runs at once."""

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import adadelta
from stages.optim.adadelta import Adadelta


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adadelta)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_first_step_by_hand() -> None:
    """Gradient 4, ρ = ¾: v = ¼·16 = 4; eps = 12 makes the roots √12 and 4."""
    p = np.zeros(1)
    Adadelta(rho=0.75, eps=12.0)(p, np.array([4.0]))
    assert p == pytest.approx(-(12**0.5) / 4 * 4, rel=1e-15)


def test_the_second_step_knows_the_first() -> None:
    """Gradients 2 and 4, ρ = ½ and eps = 2: v = 2 and then 9, u = ½·d² = 1."""
    p = np.zeros(1)
    optimizer = Adadelta(lr=0.5, rho=0.5, eps=2.0)
    optimizer(p, np.array([2.0]))
    first = 2 * (2 / (2 + 2)) ** 0.5
    assert p == pytest.approx(-0.5 * first, rel=1e-15)
    optimizer(p, np.array([4.0]))
    second = 4 * ((2 + 1) / (2 + 9)) ** 0.5
    assert p == pytest.approx(-0.5 * (first + second), rel=1e-15)


def test_a_rho_of_one_averages_nothing() -> None:
    p = np.zeros(1)
    optimizer = Adadelta(lr=0.25, rho=1.0)
    for step in range(1, 5):
        optimizer(p, np.array([8.0]))
        assert p == -2.0 * step


def test_steps_do_not_depend_on_the_scale_of_the_gradient() -> None:
    p = np.zeros(2)
    optimizer = Adadelta(eps=1e-12)
    for gradient in (1.0, -2.0, 3.0):
        optimizer(p, np.array([1.0, 1e6]) * gradient)
    assert p[0] == pytest.approx(p[1], rel=1e-9)


def test_weight_decay_adds_to_the_gradient() -> None:
    decayed, plain = np.array([2.0]), np.array([2.0])
    Adadelta(weight_decay=0.5)(decayed, np.array([3.0]))
    Adadelta()(plain, np.array([4.0]))
    assert decayed == plain


def test_maximize_is_the_way_up() -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    gradient = np.array([3.0, -5.0])
    climb, descend = Adadelta(0.1, maximize=True), Adadelta(0.1)
    for _ in range(3):
        climb(up, gradient)
        descend(down, -gradient)
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Adadelta(0.1, weight_decay=0.1, maximize=True)
    gradient = np.array([1.0, -2.0])
    for _ in range(3):
        optimizer(np.ones(2), gradient)
    np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize("name", ["lr", "rho", "eps", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_numbers_are_refused_as_by_torch(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.Adadelta([torch.zeros(1)], **{name: value})
    with pytest.raises(ValueError, match=f"^{name} must be at least 0, got {value}$"):
        Adadelta(**{name: value})


def test_a_rho_above_one_is_refused_as_by_torch() -> None:
    with pytest.raises(ValueError, match="Invalid rho"):
        torch.optim.Adadelta([torch.zeros(1)], rho=1.5)
    with pytest.raises(ValueError, match=r"^rho must be at most 1, got 1\.5$"):
        Adadelta(rho=1.5)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"rho": EIGHT},
        {"eps": EIGHT / 100},
        {"weight_decay": np.array([0, 0.1] * 4)},
        {"lr": EIGHT, "rho": EIGHT[::-1], "eps": EIGHT, "weight_decay": EIGHT, "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(Adadelta, variant, dtype)
