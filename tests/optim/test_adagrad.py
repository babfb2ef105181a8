"""Adagrad: closed forms."""

import numpy as np
import pytest

from stages.optim.adagrad import Adagrad


def test_the_first_step_is_the_learning_rate() -> None:
    p = np.zeros(3)
    Adagrad(lr=0.25, eps=0.0)(p, np.array([1e-3, 1.0, -7.0]))
    np.testing.assert_allclose(p, [-0.25, -0.25, 0.25], rtol=1e-15)


def test_steps_along_a_constant_gradient_fall_with_the_root_of_their_number() -> None:
    p = np.zeros(1)
    optimizer = Adagrad(lr=0.5, eps=0.0)
    for step in range(1, 11):
        before = p.copy()
        optimizer(p, np.full(1, -3.0))
        assert p - before == pytest.approx(0.5 / step**0.5, rel=1e-14)


def test_the_sum_of_squares_starts_where_it_is_told() -> None:
    p = np.zeros(1)
    Adagrad(lr=1.0, initial_accumulator_value=16.0, eps=1.0)(p, np.array([3.0]))
    assert p == -3 / (5 + 1)


def test_the_learning_rate_decays_from_the_second_step() -> None:
    p = np.zeros(1)
    optimizer = Adagrad(lr=1.0, lr_decay=0.5, initial_accumulator_value=9.0, eps=0.0)
    optimizer(p, np.array([4.0]))
    assert p == -4 / 5
    before = p.copy()
    optimizer(p, np.array([12.0]))
    assert before - p == pytest.approx(12 / 13 / 1.5, rel=1e-15)


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    Adagrad(lr=1.0, weight_decay=0.5, initial_accumulator_value=7.0, eps=0.0)(p, np.array([2.0]))
    assert p == 2 - 3 / 4
