"""Adamax: closed forms, its refusals, and many runs at once."""

import doctest
import re
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import adamax
from stages.optim.adamax import Adamax


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adamax)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("gradient", [1e-3, 1.0, -7.0, 1e6])
def test_each_step_along_a_constant_gradient_is_the_learning_rate(gradient: float) -> None:
    """The running mean, corrected, is the gradient from the first step on, and u its size."""
    p = np.zeros(1)
    optimizer = Adamax(lr=0.25, eps=0.0)
    for step in range(1, 11):
        optimizer(p, np.full(1, gradient))
        assert p.item() == pytest.approx(-0.25 * step * np.sign(gradient), rel=1e-12)


def test_the_largest_gradient_is_forgotten_slowly() -> None:
    """Gradients 4 and 1, β = ½ and ¾: m = ½·2 + ½·1 = 3/2 and u = max(¾·4, 1) = 3."""
    p = np.zeros(1)
    optimizer = Adamax(lr=1.0, betas=(0.5, 0.75), eps=0.0)
    optimizer(p, np.array([4.0]))
    assert p == -1
    optimizer(p, np.array([1.0]))
    assert p.item() == pytest.approx(-1 - (3 / 2) / (1 - 0.25) / 3, rel=1e-15)


def test_eps_is_added_to_each_gradient_and_not_to_the_largest() -> None:
    """Gradients 4 and 0, β = ½ and ¾: u = 4 + ½, and then ¾ of it."""
    p = np.zeros(1)
    optimizer = Adamax(lr=1.0, betas=(0.5, 0.75), eps=0.5)
    optimizer(p, np.array([4.0]))
    assert p.item() == pytest.approx(-4 / 4.5, rel=1e-15)
    optimizer(p, np.zeros(1))
    assert p.item() == pytest.approx(-4 / 4.5 - 1 / (1 - 0.25) / (0.75 * 4.5), rel=1e-15)


def test_weight_decay_is_a_part_of_the_gradient() -> None:
    p = np.array([2.0, -4.0])
    Adamax(lr=0.5, eps=0.0, weight_decay=0.5)(p, np.zeros(2))
    np.testing.assert_allclose(p, [1.5, -3.5], rtol=1e-15)  # a step of lr, whatever the decay


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Adamax(0.1, weight_decay=0.1, maximize=True)
    gradient = np.array([1.0, -2.0])
    for _ in range(3):
        optimizer(np.ones(2), gradient)
    np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"lr": -0.1}, "lr must be at least 0, got -0.1"),
        ({"lr": float("nan")}, "lr must be at least 0, got nan"),
        ({"betas": (-0.1, 0.9)}, "betas[0] must be in [0, 1), got -0.1"),
        ({"betas": (0.9, 1.0)}, "betas[1] must be in [0, 1), got 1.0"),
        ({"eps": -1e-8}, "eps must be at least 0, got -1e-08"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, got -0.1"),
    ],
)
def test_what_torch_refuses_is_refused(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.Adamax([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Adamax(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},  # on both sides of ½, where lerp turns round
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": EIGHT},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4), "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(Adamax, variant, dtype)
