"""NAdam: closed forms."""

import numpy as np
import pytest

from stages.optim.adam import Adam
from stages.optim.nadam import NAdam


def test_two_steps_by_hand() -> None:
    """β = ½ and ¾, and μ is ¼ at every step, since it does not grow. Gradients 1 and 3.

    The first step takes (1 - ¼) / (1 - ¼) · 1 of the gradient and ¼ / (1 - 1/16) · ½ of its mean.
    """
    p = np.zeros(1)
    optimizer = NAdam(lr=1.0, betas=(0.5, 0.75), eps=0.5, momentum_decay=0.0)
    optimizer(p, np.array([1.0]))
    first = (1 + 2 / 15) / (1 + 0.5)
    assert p.item() == pytest.approx(-first, rel=1e-15)
    optimizer(p, np.array([3.0]))
    n = (3 / 4) / (15 / 16) * 3 + (1 / 4) / (63 / 64) * 7 / 4
    v = (39 / 16) / (1 - 9 / 16)
    assert p.item() == pytest.approx(-first - n / (v**0.5 + 0.5), rel=1e-15)


def test_without_momentum_it_is_adam() -> None:
    random = np.random.default_rng(1)
    p, q = np.ones(5), np.ones(5)
    ours, adam = NAdam(0.1, (0.0, 0.9), 1e-3), Adam(0.1, (0.0, 0.9), 1e-3)
    for gradient in random.normal(size=(20, 5)):
        ours(p, gradient)
        adam(q, gradient)
        np.testing.assert_allclose(p, q, rtol=1e-13)


def test_the_momentum_grows_to_its_whole() -> None:
    """Then each step along a constant gradient is lr · ((1 - β₁) + β₁)."""
    p = np.zeros(1)
    optimizer = NAdam(lr=0.25, eps=0.0, momentum_decay=1.0)
    for _ in range(1000):
        before = p.copy()
        optimizer(p, np.full(1, 7.0))
    assert (before - p).item() == pytest.approx(0.25, rel=1e-12)


def test_decoupled_weight_decay_does_not_touch_the_gradient() -> None:
    p = np.array([2.0])
    NAdam(lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)(p, np.zeros(1))
    assert p == 1.5
    scaled = {"betas": (0.0, 0.9), "eps": 0.0}
    NAdam(lr=0.5, weight_decay=0.5, **scaled)(p, np.zeros(1))
    assert p == pytest.approx(1.0)  # a step of lr, since the gradient is the decay alone
