"""RMSprop: closed forms."""

import numpy as np
import pytest

from stages.optim.rmsprop import RMSprop


def test_the_first_step_by_hand() -> None:
    """Gradient 4, α = ¾: v = ¼·16 = 4, and eps is outside the root."""
    p = np.zeros(1)
    RMSprop(lr=1.0, alpha=0.75, eps=6.0)(p, np.array([4.0]))
    assert p == -4 / (2 + 6)


def test_the_second_step_by_hand() -> None:
    """Gradients 2 and 4, α = ½: v = 2 and then 9."""
    p = np.zeros(1)
    optimizer = RMSprop(lr=1.0, alpha=0.5, eps=1.0)
    optimizer(p, np.array([2.0]))
    before = p.copy()
    optimizer(p, np.array([4.0]))
    assert before - p == pytest.approx(4 / (3 + 1), rel=1e-15)


def test_momentum_adds_up_the_scaled_gradients_and_lr_comes_after() -> None:
    """With α = 0 each scaled gradient is 1."""
    p = np.zeros(1)
    optimizer = RMSprop(lr=0.5, alpha=0.0, eps=0.0, momentum=0.5)
    for step in range(1, 21):
        before = p.copy()
        optimizer(p, np.ones(1))
        assert before - p == 0.5 * (2 - 0.5 ** (step - 1))


def test_centered_divides_by_the_standard_deviation() -> None:
    """Gradient 4, α = ½: v = 8 and m = 2, so the variance is 4."""
    p = np.zeros(1)
    RMSprop(lr=1.0, alpha=0.5, eps=2.0, centered=True)(p, np.array([4.0]))
    assert p == -4 / (2 + 2)


def test_weight_decay_adds_to_the_gradient() -> None:
    p = np.array([2.0])
    RMSprop(lr=1.0, alpha=0.75, eps=6.0, weight_decay=0.5)(p, np.array([3.0]))
    assert p == 2 - 4 / (2 + 6)
