"""ASGD: closed forms."""

import numpy as np
import pytest
import torch

from stages.optim.asgd import ASGD


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
        assert optimizer.state["ax"] == pytest.approx(np.mean(points[3:] or points[-1]), rel=1e-6)


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
        assert optimizer.state["ax"].tobytes() == average.numpy().tobytes()


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    ASGD(lr=0.5, lambd=0.0, weight_decay=0.5)(p, np.zeros(1))
    assert p == 1.5


@pytest.mark.filterwarnings("ignore:Casting complex values to real")  # by torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("alpha", [0.75, -0.3, 1.0])
@pytest.mark.parametrize(("lr", "steps"), [(0.011, 1000), (30, 20)])
def test_a_negative_lambd_follows_torch_bit_for_bit(
    lr: float, steps: int, alpha: float, dtype: str
) -> None:
    """Whatever torch's kernels fuse: the products with powers of 2 are exact."""
    random = np.random.default_rng(1)
    p = random.normal(size=5).astype(dtype)
    gradients = np.ldexp(random.choice([-1, 1], (steps, 5)), random.integers(-9, 2, (steps, 5)))
    hyperparameters = {"lr": lr, "lambd": -0.1, "alpha": alpha}
    optimizer, theirs = ASGD(**hyperparameters), torch.tensor(p)
    runs, rows = ASGD(**hyperparameters | {"lambd": np.array([-0.1, 0.0])}), np.stack([p, p])
    torch_optimizer = torch.optim.ASGD([theirs], **hyperparameters)
    for gradient in gradients.astype(dtype):
        optimizer(p, gradient)
        runs(rows, np.stack([gradient, gradient]))
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
        np.testing.assert_array_equal(p, theirs.numpy())
        np.testing.assert_array_equal(rows[0], p)
    assert 1 - 0.1 * lr * (steps - 1) < 0


def test_a_rate_that_ends_torch_is_not_a_number() -> None:
    """With lr = 1 and lambd = -½ it is 1 / 0 after two steps."""
    p, theirs = np.ones(1), torch.ones(1)
    optimizer = ASGD(lr=1.0, lambd=-0.5)
    torch_optimizer = torch.optim.ASGD([theirs], lr=1.0, lambd=-0.5)
    theirs.grad = torch.ones(1)
    torch_optimizer.step()
    with pytest.raises(ZeroDivisionError):
        torch_optimizer.step()
    for _ in range(2):
        optimizer(p, np.ones(1))
        assert np.isfinite(p)
    optimizer(p, np.ones(1))
    assert np.isnan(p)
