"""SGD: closed forms, its refusals, and many runs at once."""

import doctest
import re
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import SGD, sgd


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(sgd)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_step_of_the_seed() -> None:
    p = np.array(1.2)
    SGD(0.1)(p, np.array(0.25))
    assert p == 1.2 - 0.1 * 0.25


def test_momentum_of_a_constant_gradient_is_a_geometric_series() -> None:
    p = np.zeros(1)
    optimizer = SGD(lr=1.0, momentum=0.5)
    for step in range(1, 21):
        before = p.copy()
        optimizer(p, np.ones(1))
        assert before - p == 2 - 0.5 ** (step - 1)


def test_dampening_leaves_the_first_step_alone() -> None:
    p = np.zeros(1)
    optimizer = SGD(lr=1.0, momentum=0.5, dampening=0.75)
    optimizer(p, np.ones(1))
    assert p == -1
    optimizer(p, np.ones(1))
    assert p == -1 - (0.5 + 0.25)


def test_weight_decay_alone_shrinks_the_parameters() -> None:
    p = np.array([2.0, -4.0])
    SGD(lr=0.5, weight_decay=0.5)(p, np.zeros(2))
    np.testing.assert_array_equal(p, [1.5, -3.0])


def test_maximize_is_the_way_up() -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    gradient = np.array([3.0, -5.0])
    climb, descend = SGD(0.1, 0.9, maximize=True), SGD(0.1, 0.9)
    for _ in range(3):
        climb(up, gradient)
        descend(down, -gradient)
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    for optimizer in (
        SGD(0.1, 0.9, 0.0, 0.1, True, maximize=True),
        SGD(0.1, 0.9, 0.5, 0.1, maximize=True),
        SGD(0.1, weight_decay=0.1),
    ):
        gradient = np.array([1.0, -2.0])
        for _ in range(3):
            optimizer(np.ones(2), gradient)
        np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize(
    "variant",
    [
        {"lr": 0.1, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": -0.1, "nesterov": True},
    ],
)
def test_nesterov_is_refused_where_torch_refuses_it(variant: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Nesterov"):
        torch.optim.SGD([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=r"^nesterov needs momentum and no dampening$"):
        SGD(**variant)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"lr": -0.1}, "lr must be at least 0, got -0.1"),
        ({"momentum": -0.1}, "momentum must be at least 0, got -0.1"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, got -0.1"),
    ],
)
def test_what_torch_refuses_is_refused(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.SGD([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SGD(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "momentum": EIGHT},
        {"lr": 0.1, "momentum": EIGHT, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": EIGHT},
        {"lr": 0.1, "weight_decay": EIGHT / 10},
        {"lr": EIGHT, "momentum": EIGHT[::-1], "weight_decay": EIGHT / 100, "maximize": True},
        {"lr": 0.1, "momentum": EIGHT, "dampening": EIGHT[::-1], "weight_decay": EIGHT / 10},
        {"lr": 0.1, "momentum": np.array([0, 0.9] * 4), "weight_decay": np.array([0.1, 0] * 4)},
        # dampening is without effect where there is no momentum
        {"lr": 0.1, "momentum": np.array([0, 0.9] * 4), "dampening": 0.3},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(SGD, variant, dtype)
