"""AdamW: closed forms, its refusals, and many runs at once."""

import doctest
import re
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import adamw
from stages.optim.adam import Adam
from stages.optim.adamw import AdamW


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adamw)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_decay_is_the_share_of_the_parameters() -> None:
    p = np.array([2.0, -4.0])
    AdamW(lr=0.5, weight_decay=0.5)(p, np.zeros(2))
    np.testing.assert_array_equal(p, [1.5, -3.0])


def test_a_hundredth_is_the_decay_unless_another_is_given() -> None:
    p = np.ones(1)
    AdamW(lr=1.0)(p, np.zeros(1))
    assert p == 0.99


def test_the_decay_adds_up_with_the_step() -> None:
    p = np.array([2.0])
    AdamW(lr=0.25, eps=0.0, weight_decay=1.0)(p, np.array([1e6]))
    assert p == pytest.approx(2 * 0.75 - 0.25, rel=1e-15)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_without_decay_it_is_adam(amsgrad: bool) -> None:
    random = np.random.default_rng(1)
    p, q = np.ones(5), np.ones(5)
    ours = AdamW(0.1, (0.8, 0.9), 1e-3, 0.0, amsgrad, maximize=True)
    adam = Adam(0.1, (0.8, 0.9), 1e-3, 0.0, amsgrad, maximize=True)
    for gradient in random.normal(size=(20, 5)):
        ours(p, gradient)
        adam(q, gradient)
    np.testing.assert_array_equal(p, q)


def test_gradients_are_left_as_they_are() -> None:
    optimizer = AdamW(0.1, weight_decay=0.1, maximize=True)
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
        torch.optim.AdamW([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        AdamW(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1]},
        {"lr": 0.1, "betas": (EIGHT, 0.999), "eps": EIGHT / 100},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "amsgrad": True},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4), "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(AdamW, variant, dtype)
