"""ASGD: closed forms, its refusals, and many runs at once."""

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from runs_of_optimizers import assert_runs_equal_alone

from stages.optim import asgd
from stages.optim.asgd import ASGD


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(asgd)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_first_step_decays_and_then_descends() -> None:
    p = np.array([2.0])
    ASGD(lr=0.5, lambd=0.25)(p, np.array([4.0]))
    assert p == 2 * (1 - 0.25 * 0.5) - 0.5 * 4


def test_the_rate_falls_from_the_second_step() -> None:
    """With lambd = 3, lr = 1 and alpha = ½ the rate after step 1 is 1 / √4."""
    p = np.array([0.0])
    optimizer = ASGD(lr=1.0, lambd=3.0, alpha=0.5)
    optimizer(p, np.array([4.0]))
    assert p == -4
    optimizer(p, np.array([1.0]))
    assert p == -4 * (1 - 3 * 0.5) - 0.5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_learning_rate_is_kept_in_single_precision_as_by_torch(dtype: str) -> None:
    p = np.zeros(1, dtype)
    ASGD(lr=0.1, lambd=0.0)(p, -np.ones(1, dtype))
    assert p == np.float32(0.1)


def test_the_average_is_the_mean_of_all_points_from_the_second_after_t0_on() -> None:
    p, optimizer = np.zeros(1), ASGD(lr=1.0, lambd=0.0, t0=2)
    points = []
    for gradient in (-1.0, -2.0, -4.0, 8.0, -16.0):
        optimizer(p, np.array([gradient]))
        points.append(p.item())
        assert optimizer.average == pytest.approx(np.mean(points[3:] or points[-1]), rel=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("t0", [-2, 0, 3, 1e6])
def test_the_average_is_that_of_torch_bit_for_bit(t0: float, dtype: str) -> None:
    """Whatever torch's kernels fuse: with a rate of ½ the products of the descent are exact."""
    random = np.random.default_rng(1)
    p = random.normal(size=13).astype(dtype)
    gradients = random.normal(size=(20, 13)).astype(dtype)
    p[0], gradients[:, 0] = -0.0, 0  # only a copy keeps the sign
    optimizer, theirs = ASGD(lr=0.5, lambd=0.0, t0=t0), torch.tensor(p)
    torch_optimizer = torch.optim.ASGD([theirs], lr=0.5, lambd=0.0, t0=t0)
    for gradient in gradients:
        optimizer(p, gradient)
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
        assert p.tobytes() == theirs.numpy().tobytes()
        average = torch_optimizer.state[theirs]["ax"]
        assert optimizer.average.tobytes() == average.numpy().tobytes()


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    ASGD(lr=0.5, lambd=0.0, weight_decay=0.5)(p, np.zeros(1))
    assert p == 1.5


def test_maximize_is_the_way_up() -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    gradient = np.array([3.0, -5.0])
    climb, descend = ASGD(0.1, maximize=True), ASGD(0.1)
    for _ in range(3):
        climb(up, gradient)
        descend(down, -gradient)
    np.testing.assert_array_equal(up, down)


def test_gradients_are_left_as_they_are() -> None:
    optimizer = ASGD(0.1, weight_decay=0.1, maximize=True)
    gradient = np.array([1.0, -2.0])
    for _ in range(3):
        optimizer(np.ones(2), gradient)
    np.testing.assert_array_equal(gradient, [1.0, -2.0])


@pytest.mark.parametrize("name", ["lr", "weight_decay"])
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_negative_numbers_are_refused_as_by_torch(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        torch.optim.ASGD([torch.zeros(1)], **{name: value})
    with pytest.raises(ValueError, match=f"^{name} must be at least 0, got {value}$"):
        ASGD(**{name: value})


EIGHT = np.linspace(0.1, 0.8, 8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "variant",
    [
        {"lr": EIGHT},
        {"lr": 0.1, "lambd": EIGHT},
        {"lr": 0.1, "lambd": 0.3, "alpha": EIGHT},
        {"lr": 0.1, "t0": np.arange(8.0)},
        {"lr": 0.1, "weight_decay": np.array([0, 0.1] * 4)},
        {"lr": EIGHT, "lambd": EIGHT, "alpha": EIGHT[::-1], "t0": 10 * EIGHT, "maximize": True},
    ],
)
def test_each_run_is_that_run_alone(variant: dict[str, Any], dtype: str) -> None:
    assert_runs_equal_alone(ASGD, variant, dtype)


def test_the_average_of_each_run_is_that_of_the_run_alone() -> None:
    starts = np.arange(3.0)
    together, of_all = np.zeros((3, 2)), ASGD(0.1, t0=starts)
    alone, of_one = np.zeros((3, 2)), [ASGD(0.1, t0=t0) for t0 in starts.tolist()]
    gradients = np.random.default_rng(1).normal(size=(9, 3, 2))
    for gradient in gradients:
        of_all(together, gradient)
        for run in range(3):
            of_one[run](alone[run], gradient[run])
            assert of_all.average[run].tobytes() == of_one[run].average.tobytes()
