"""Adamax: closed forms."""

import numpy as np
import pytest

from stages.optim.adamax import Adamax


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
