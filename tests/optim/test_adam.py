"""Adam: closed forms, its refusals, and many runs at once."""

import doctest
import re
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import Adam, adam


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adam)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("gradient", [1e-3, 1.0, -7.0, 1e6])
def test_each_step_along_a_constant_gradient_is_the_learning_rate(gradient: float) -> None:
    """Both running means, corrected, are the gradient and its square from the first step on."""
    p = np.zeros(1)
    optimizer = Adam(lr=0.25, eps=0.0)
    for step in range(1, 11):
        optimizer(p, np.full(1, gradient))
        assert p.item() == pytest.approx(-0.25 * step * np.sign(gradient), rel=1e-12)


def test_the_second_step_by_hand() -> None:
    """Gradients 1 and 3, β = ½ and ¾: m = ½·½ + ½·3 = 7/4 and v = ¾·¼ + ¼·9 = 39/16."""
    p = np.zeros(1)
    optimizer = Adam(lr=1.0, betas=(0.5, 0.75), eps=0.5)
    optimizer(p, np.array([1.0]))
    first = 1 / (1 + 0.5)
    assert p.item() == pytest.approx(-first, rel=1e-15)
    optimizer(p, np.array([3.0]))
    m, v = (7 / 4) / (1 - 0.25), (39 / 16) / (1 - 9 / 16)
    assert p.item() == pytest.approx(-first - m / (v**0.5 + 0.5), rel=1e-15)


def test_amsgrad_remembers_the_largest_square() -> None:
    steps = {}
    for amsgrad in (False, True):
        p = np.zeros(1)
        optimizer = Adam(lr=1.0, betas=(0.0, 0.5), eps=0.0, amsgrad=amsgrad)
        optimizer(p, np.array([8.0]))
        before = p.copy()
        optimizer(p, np.array([2.0]))
        steps[amsgrad] = (before - p).item()
    # v is 32 and then 18, corrected by 1 - ½²
    assert steps[False] == pytest.approx(2 / (18 / 0.75) ** 0.5, rel=1e-15)
    assert steps[True] == pytest.approx(2 / (32 / 0.75) ** 0.5, rel=1e-15)


def test_decoupled_weight_decay_does_not_touch_the_gradient() -> None:
    p = np.array([2.0])
    Adam(lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)(p, np.zeros(1))
    assert p == 1.5
    Adam(lr=0.5, weight_decay=0.5)(p, np.zeros(1))
    assert p == pytest.approx(1.0)  # a step of lr, since the gradient is the decay alone


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Adam(0.1, weight_decay=0.1, amsgrad=True, maximize=True)
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
        torch.optim.Adam([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Adam(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},  # on both sides of ½, where lerp turns round
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "amsgrad": True},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": EIGHT},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1], "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4), "maximize": True},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4), "decoupled_weight_decay": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(Adam, variant, dtype)
