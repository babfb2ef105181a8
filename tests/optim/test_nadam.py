"""NAdam: closed forms, its refusals, and many runs at once."""

import doctest
import re
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import nadam
from stages.optim.adam import Adam
from stages.optim.nadam import NAdam


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(nadam)
    assert result.attempted > 0
    assert result.failed == 0


def test_two_steps_by_hand() -> None:
    """β = ½ and ¾, and μ is ¼ at every step, since it does not grow. Gradients 1 and 3.

    The first step takes (1 - ¼) / (1 - ¼) · 1 of the gradient and ¼ / (1 - 1/16) · ½ of its mean.
    """
    p = np.zeros(1)
    optimizer = NAdam(lr=1.0, betas=(0.5, 0.75), eps=0.5, momentum_decay=0.0)
    optimizer(p, np.array([1.0]))
    first = (1 + 2 / 15) / (1 + 0.5)
    assert p.item() == pytest.approx(-first, rel=1e-15)
    optimizer(p, np.array([3.0]))
    n = (3 / 4) / (15 / 16) * 3 + (1 / 4) / (63 / 64) * 7 / 4
    v = (39 / 16) / (1 - 9 / 16)
    assert p.item() == pytest.approx(-first - n / (v**0.5 + 0.5), rel=1e-15)


def test_without_momentum_it_is_adam() -> None:
    random = np.random.default_rng(1)
    p, q = np.ones(5), np.ones(5)
    ours, adam = NAdam(0.1, (0.0, 0.9), 1e-3), Adam(0.1, (0.0, 0.9), 1e-3)
    for gradient in random.normal(size=(20, 5)):
        ours(p, gradient)
        adam(q, gradient)
        np.testing.assert_allclose(p, q, rtol=1e-13)


def test_the_momentum_grows_to_its_whole() -> None:
    """Then each step along a constant gradient is lr · ((1 - β₁) + β₁)."""
    p = np.zeros(1)
    optimizer = NAdam(lr=0.25, eps=0.0, momentum_decay=1.0)
    for _ in range(1000):
        before = p.copy()
        optimizer(p, np.full(1, 7.0))
    assert (before - p).item() == pytest.approx(0.25, rel=1e-12)


def test_decoupled_weight_decay_does_not_touch_the_gradient() -> None:
    p = np.array([2.0])
    NAdam(lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)(p, np.zeros(1))
    assert p == 1.5
    scaled = {"betas": (0.0, 0.9), "eps": 0.0}
    NAdam(lr=0.5, weight_decay=0.5, **scaled)(p, np.zeros(1))
    assert p == pytest.approx(1.0)  # a step of lr, since the gradient is the decay alone


def test_gradients_are_left_as_they_are() -> None:
    optimizer = NAdam(0.1, weight_decay=0.1, maximize=True)
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
        ({"momentum_decay": -1.0}, "momentum_decay must be at least 0, got -1.0"),
    ],
)
def test_what_torch_refuses_is_refused(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.NAdam([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        NAdam(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},  # on both sides of ½, where lerp turns round
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "momentum_decay": EIGHT},
        {"lr": 0.1, "momentum_decay": EIGHT / 10},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1], "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4), "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(NAdam, variant, dtype)
