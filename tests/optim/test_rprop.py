"""Rprop: closed forms."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.optim.rprop import Rprop


def steps_along(optimizer: Rprop, *gradients: float) -> list[float]:
    p, steps = np.zeros(1), []
    for gradient in gradients:
        before = p.copy()
        optimizer(p, np.array([gradient], float))
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
