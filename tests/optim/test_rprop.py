"""Rprop: closed forms, its refusals, and many runs at once."""

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import rprop
from stages.optim.rprop import Rprop


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(rprop)
    assert result.attempted > 0
    assert result.failed == 0


def steps_along(optimizer: Rprop, *gradients: float) -> list[float]:
    p, steps = np.zeros(1), []
    for gradient in gradients:
        before = p.copy()
        optimizer(p, np.array([gradient]))
        steps.append((p - before).item())
    return steps


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_steps_of_one_sign_grow_whatever_their_size(size: float) -> None:
    optimizer = Rprop(lr=0.5, etas=(0.5, 2.0), step_sizes=(0.0, 100.0))
    assert steps_along(optimizer, -size, -2 * size, -size) == [0.5, 1, 2]


def test_a_sign_that_changes_halts_once_and_shrinks_the_step() -> None:
    """The gradient is forgotten where its sign has changed: the next one meets a zero."""
    optimizer = Rprop(lr=1.0, etas=(0.25, 2.0))
    assert steps_along(optimizer, -1, -1, 1, 1, 1, -1) == [1, 2, 0, -0.5, -1, 0]


def test_a_gradient_of_zero_keeps_the_step_size() -> None:
    assert steps_along(Rprop(lr=1.0, etas=(0.5, 2.0)), -1, 0, -1, -1) == [1, 0, 1, 2]


def test_step_sizes_have_bounds() -> None:
    optimizer = Rprop(lr=1.0, etas=(0.25, 4.0), step_sizes=(0.5, 3.0))
    assert steps_along(optimizer, -1, -1, 1, 1, -1, -1) == [1, 3, 0, -0.75, 0, 0.5]


def test_even_the_first_step_is_within_the_bounds() -> None:
    assert steps_along(Rprop(lr=9.0, step_sizes=(1.0, 2.0)), -1) == [2]


def test_what_is_no_number_moves_nothing() -> None:
    assert steps_along(Rprop(lr=1.0), np.nan, -1, np.nan, -1) == [0, 1, 0, 1]


def test_a_factor_that_rounds_to_one_stops_everything_as_in_torch() -> None:
    etas = (1 - 1e-9, 2.0)
    p, optimizer = np.zeros(2, np.float32), Rprop(lr=1.0, etas=etas)
    theirs = torch.zeros(2)
    torch_optimizer = torch.optim.Rprop([theirs], lr=1.0, etas=etas)
    for gradient in ([-1.0, -1.0], [-1.0, 1.0], [-1.0, 1.0]):
        optimizer(p, np.array(gradient, np.float32))
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
    np.testing.assert_array_equal(p, theirs.numpy())
    np.testing.assert_array_equal(p, [0, 0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": 1.0},
        {"lr": 1.0, "maximize": True},
        {"etas": (1 - 1e-9, 1.2)},
        {"etas": (0.25, float("inf"))},
        {"etas": (1e-30, 1e30), "step_sizes": (0.0, float("inf"))},
        {"step_sizes": (-1.0, -0.5)},
    ],
)
def test_numbers_of_every_kind_move_as_in_torch(variant: dict[str, Any], dtype: str) -> None:
    """Bit for bit, whatever torch's kernels fuse: a product with a sign needs no rounding."""
    random = np.random.default_rng(1)
    kinds = np.array([0.0, -0.0, 1, -1, 2, -3, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 1e30, -1e30])
    gradients = random.choice(kinds, (300, 101)).astype(dtype)
    p = np.resize(np.array([0.0, -0.0, 1, -1], dtype), 101)
    optimizer, theirs = Rprop(**variant), torch.tensor(p)
    torch_optimizer = torch.optim.Rprop([theirs], **variant)
    for gradient in gradients:
        with np.errstate(all="ignore"):
            optimizer(p, gradient)
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
        np.testing.assert_array_equal(p, theirs.numpy())
        numbers = ~np.isnan(p)
        np.testing.assert_array_equal(np.signbit(p)[numbers], np.signbit(theirs.numpy())[numbers])


def test_each_parameter_has_a_step_size_of_its_own() -> None:
    p, optimizer = np.zeros(3), Rprop(lr=1.0, etas=(0.5, 2.0))
    optimizer(p, np.array([1.0, -1.0, 0.0]))
    optimizer(p, np.array([1.0, 1.0, -1.0]))
    np.testing.assert_array_equal(p, [-3, 1, 1])


def test_maximize_is_the_way_up() -> None:
    gradients = [3.0, 2.0, -1.0, -1.0]
    down = steps_along(Rprop(0.5), *gradients)
    assert steps_along(Rprop(0.5, maximize=True), *gradients) == [-step for step in down]


def test_gradients_are_left_as_they_are() -> None:
    optimizer = Rprop(0.1, maximize=True)
    for sign in (1, -1, 1):
        gradient = np.array([1.0, -2.0]) * sign
        optimizer(np.ones(2), gradient)
        np.testing.assert_array_equal(gradient, np.array([1.0, -2.0]) * sign)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"lr": -0.1}, r"^lr must be at least 0, got -0\.1$"),
        ({"lr": float("nan")}, r"^lr must be at least 0, got nan$"),
        ({"etas": (0.0, 1.2)}, r"^etas\[0\] must be in \(0, 1\), got 0\.0$"),
        ({"etas": (1.0, 1.2)}, r"^etas\[0\] must be in \(0, 1\), got 1\.0$"),
        ({"etas": (0.5, 1.0)}, r"^etas\[1\] must be above 1, got 1\.0$"),
    ],
)
def test_what_torch_refuses_is_refused(variant: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.Rprop([torch.zeros(1)], **variant)
    with pytest.raises(ValueError, match=message):
        Rprop(**variant)


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "etas": (EIGHT, 1.2)},
        {"lr": 0.1, "etas": (0.5, 1 + EIGHT)},
        {"lr": 0.1, "step_sizes": (EIGHT / 10, 50.0)},
        {"lr": 0.1, "step_sizes": (1e-6, EIGHT)},
        {"lr": EIGHT, "etas": (EIGHT, 2 - EIGHT), "step_sizes": (EIGHT / 9, 1.0), "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(Rprop, variant, dtype)
