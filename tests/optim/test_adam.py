"""Adam: closed forms."""

import numpy as np
import pytest

from stages.optim import Adam


@pytest.mark.parametrize("gradient", [1e-3, 1.0, -7.0, 1e6])
def test_each_step_along_a_constant_gradient_is_the_learning_rate(gradient: float) -> None:
    """Both running means, corrected, are the gradient and its square from the first step on."""
    p = np.zeros(1)
    optimizer = Adam(lr=0.25, eps=0.0)
    for step in range(1, 11):
        optimizer(p, np.full(1, gradient))
        assert p.item() == pytest.approx(-0.25 * step * np.sign(gradient), rel=1e-12)


def test_the_second_step_by_hand() -> None:
    """Gradients 1 and 3, β = ½ and ¾: m = ½·½ + ½·3 = 7/4 and v = ¾·¼ + ¼·9 = 39/16."""
    p = np.zeros(1)
    optimizer = Adam(lr=1.0, betas=(0.5, 0.75), eps=0.5)
    optimizer(p, np.array([1.0]))
    first = 1 / (1 + 0.5)
    assert p.item() == pytest.approx(-first, rel=1e-15)
    optimizer(p, np.array([3.0]))
    m, v = (7 / 4) / (1 - 0.25), (39 / 16) / (1 - 9 / 16)
    assert p.item() == pytest.approx(-first - m / (v**0.5 + 0.5), rel=1e-15)


def test_amsgrad_remembers_the_largest_square() -> None:
    steps = {}
    for amsgrad in (False, True):
        p = np.zeros(1)
        optimizer = Adam(lr=1.0, betas=(0.0, 0.5), eps=0.0, amsgrad=amsgrad)
        optimizer(p, np.array([8.0]))
        before = p.copy()
        optimizer(p, np.array([2.0]))
        steps[amsgrad] = (before - p).item()
    # v is 32 and then 18, corrected by 1 - ½²
    assert steps[False] == pytest.approx(2 / (18 / 0.75) ** 0.5, rel=1e-15)
    assert steps[True] == pytest.approx(2 / (32 / 0.75) ** 0.5, rel=1e-15)


def test_decoupled_weight_decay_does_not_touch_the_gradient() -> None:
    p = np.array([2.0])
    Adam(lr=0.5, weight_decay=0.5, decoupled_weight_decay=True)(p, np.zeros(1))
    assert p == 1.5
    Adam(lr=0.5, weight_decay=0.5)(p, np.zeros(1))
    assert p == pytest.approx(1.0)  # a step of lr, since the gradient is the decay alone
