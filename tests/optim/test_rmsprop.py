"""RMSprop: closed forms, its refusals, and many runs at once."""

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import rmsprop
from stages.optim.rmsprop import RMSprop


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(rmsprop)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_first_step_by_hand() -> None:
    """Gradient 4, α = ¾: v = ¼·16 = 4, and eps is outside the root."""
    p = np.zeros(1)
    RMSprop(lr=1.0, alpha=0.75, eps=6.0)(p, np.array([4.0]))
    assert p == -4 / (2 + 6)


def test_the_second_step_by_hand() -> None:
    """Gradients 2 and 4, α = ½: v = 2 and then 9."""
    p = np.zeros(1)
    optimizer = RMSprop(lr=1.0, alpha=0.5, eps=1.0)
    optimizer(p, np.array([2.0]))
    before = p.copy()
    optimizer(p, np.array([4.0]))
    assert before - p == pytest.approx(4 / (3 + 1), rel=1e-15)


def test_momentum_adds_up_the_scaled_gradients_and_lr_comes_after() -> None:
    """With α = 0 each scaled gradient is 1."""
    p = np.zeros(1)
    optimizer = RMSprop(lr=0.5, alpha=0.0, eps=0.0, momentum=0.5)
    for step in range(1, 21):
        before = p.copy()
        optimizer(p, np.ones(1))
        assert before - p == 0.5 * (2 - 0.5 ** (step - 1))


def test_centered_divides_by_the_standard_deviation() -> None:
    """Gradient 4, α = ½: v = 8 and m = 2, so the variance is 4."""
    p = np.zeros(1)
    RMSprop(lr=1.0, alpha=0.5, eps=2.0, centered=True)(p, np.array([4.0]))
    assert p == -4 / (2 + 2)


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    RMSprop(lr=1.0, alpha=0.75, eps=6.0, weight_decay=0.5)(p, np.array([3.0]))
    assert p == 2 - 4 / (2 + 6)


def test_maximize_is_the_way_up() -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    gradient = np.array([3.0, -5.0])
    climb, descend = RMSprop(0.1, maximize=True), RMSprop(0.1)
    for _ in range(3):
        climb(up, gradient)
        descend(down, -gradient)
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    for variant in ({}, {"momentum": 0.9}, {"centered": True}):
        optimizer = RMSprop(0.1, weight_decay=0.1, maximize=True, **variant)
        gradient = np.array([1.0, -2.0])
        for _ in range(3):
            optimizer(np.ones(2), gradient)
        np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize("name", ["lr", "alpha", "eps", "weight_decay", "momentum"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_numbers_are_refused_as_by_torch(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.RMSprop([torch.zeros(1)], **{name: value})
    with pytest.raises(ValueError, match=f"^{name} must be at least 0, got {value}$"):
        RMSprop(**{name: value})


EIGHT = np.linspace(0.1, 0.8, 8)
SOME = np.array([0, 0.9] * 4)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "alpha": EIGHT},
        {"lr": 0.1, "alpha": EIGHT, "centered": True},  # on both sides of ½, where lerp turns round
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": SOME},
        {"lr": EIGHT, "momentum": EIGHT[::-1]},
        {"lr": EIGHT, "momentum": SOME},  # lr comes before the division or after the momentum
        {"lr": 0.1, "momentum": SOME, "alpha": EIGHT, "centered": True, "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(RMSprop, variant, dtype)
