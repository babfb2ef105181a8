"""RAdam: closed forms."""

from fractions import Fraction

import numpy as np
import pytest

from stages.optim.radam import RAdam


def test_the_first_five_steps_are_those_of_the_gradient() -> None:
    """With β₂ = 0.999. Its running mean, corrected, is the constant gradient from the start."""
    p = np.zeros(1)
    optimizer = RAdam(lr=0.25)
    for step in range(1, 6):
        optimizer(p, np.full(1, 8.0))
        assert p.item() == pytest.approx(-2 * step, rel=1e-14)
    optimizer(p, np.full(1, 8.0))
    assert -10.01 < p.item() < -10


def test_the_first_rectified_step_by_hand() -> None:
    """β₂ = ¾: ρ∞ = 7 and ρ = 7 - 2t · 3ᵗ / (4ᵗ - 3ᵗ), more than 5 from step 8 on."""
    p = np.zeros(1)
    optimizer = RAdam(lr=0.25, betas=(0.5, 0.75), eps=0.0)
    for _ in range(7):
        optimizer(p, np.full(1, 8.0))
    assert p.item() == pytest.approx(-14, rel=1e-14)
    optimizer(p, np.full(1, 8.0))
    rho = 7 - Fraction(16 * 3**8, 4**8 - 3**8)
    rectification = float((rho - 4) * (rho - 2) * 7 / (3 * 5 * rho)) ** 0.5
    assert p.item() == pytest.approx(-14 - 0.25 * rectification, rel=1e-14)


def test_after_long_each_step_along_a_constant_gradient_is_the_learning_rate() -> None:
    p = np.zeros(1)
    optimizer = RAdam(lr=0.25, betas=(0.9, 0.9), eps=0.0)
    for _ in range(1000):
        before = p.copy()
        optimizer(p, np.full(1, -7.0))
    assert (p - before).item() == pytest.approx(0.25, rel=1e-12)


def test_a_mean_square_of_few_gradients_is_never_used() -> None:
    """β₂ = 0.6 has ρ∞ = 4."""
    p = np.zeros(1)
    optimizer = RAdam(lr=0.25, betas=(0.9, 0.6))
    for _ in range(100):
        optimizer(p, np.full(1, 8.0))
    assert p.item() == pytest.approx(-200, rel=1e-12)


def test_eps_is_added_to_the_root_before_its_correction() -> None:
    p = np.zeros(1)
    steps = []
    for eps in (0.0, 2.0):
        optimizer = RAdam(lr=1.0, betas=(0.0, 0.75), eps=eps)
        for _ in range(8):
            before = p.copy()
            optimizer(p, np.full(1, 8.0))
        steps.append((before - p).item())
    root = 8 * (1 - 0.75**8) ** 0.5
    assert steps[1] / steps[0] == pytest.approx(root / (root + 2), rel=1e-13)


def test_decoupled_weight_decay_does_not_touch_the_gradient() -> None:
    p = np.array([2.0])
    RAdam(lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)(p, np.zeros(1))
    assert p == 1.5
    coupled = RAdam(lr=0.5, weight_decay=0.5)
    coupled(p, np.zeros(1))
    assert p == 1.125
    coupled(p, np.zeros(1))  # m = 0.9 · 0.1 · 0.75 + 0.1 · 0.5625, corrected by 1 - 0.9²
    assert p == pytest.approx(1.125 - 0.5 * 0.12375 / 0.19, rel=1e-14)
