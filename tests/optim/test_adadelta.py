"""Adadelta: closed forms."""

import numpy as np
import pytest

from stages.optim.adadelta import Adadelta


def test_the_first_step_by_hand() -> None:
    """Gradient 4, ρ = ¾: v = ¼·16 = 4; eps = 12 makes the roots √12 and 4."""
    p = np.zeros(1)
    Adadelta(rho=0.75, eps=12.0)(p, np.array([4.0]))
    assert p == pytest.approx(-(12**0.5) / 4 * 4, rel=1e-15)


def test_the_second_step_knows_the_first() -> None:
    """Gradients 2 and 4, ρ = ½ and eps = 2: v = 2 and then 9, u = ½·d² = 1."""
    p = np.zeros(1)
    optimizer = Adadelta(lr=0.5, rho=0.5, eps=2.0)
    optimizer(p, np.array([2.0]))
    first = 2 * (2 / (2 + 2)) ** 0.5
    assert p == pytest.approx(-0.5 * first, rel=1e-15)
    optimizer(p, np.array([4.0]))
    second = 4 * ((2 + 1) / (2 + 9)) ** 0.5
    assert p == pytest.approx(-0.5 * (first + second), rel=1e-15)


def test_a_rho_of_one_averages_nothing() -> None:
    p = np.zeros(1)
    optimizer = Adadelta(lr=0.25, rho=1.0)
    for step in range(1, 5):
        optimizer(p, np.array([8.0]))
        assert p == -2.0 * step


def test_steps_do_not_depend_on_the_scale_of_the_gradient() -> None:
    p = np.zeros(2)
    optimizer = Adadelta(eps=1e-12)
    for gradient in (1.0, -2.0, 3.0):
        optimizer(p, np.array([1.0, 1e6]) * gradient)
    assert p[0] == pytest.approx(p[1], rel=1e-9)


def test_weight_decay_adds_to_the_gradient() -> None:
    decayed, plain = np.array([2.0]), np.array([2.0])
    Adadelta(weight_decay=0.5)(decayed, np.array([3.0]))
    Adadelta()(plain, np.array([4.0]))
    assert decayed == plain
