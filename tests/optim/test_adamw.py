"""AdamW: closed forms."""

import numpy as np
import pytest

from stages.optim.adam import Adam
from stages.optim.adamw import AdamW


def test_the_decay_is_the_share_of_the_parameters() -> None:
    p = np.array([2.0, -4.0])
    AdamW(lr=0.5, weight_decay=0.5)(p, np.zeros(2))
    np.testing.assert_array_equal(p, [1.5, -3.0])


def test_a_hundredth_is_the_decay_unless_another_is_given() -> None:
    p = np.ones(1)
    AdamW(lr=1.0)(p, np.zeros(1))
    assert p == 0.99


def test_the_decay_adds_up_with_the_step() -> None:
    p = np.array([2.0])
    AdamW(lr=0.25, eps=0.0, weight_decay=1.0)(p, np.array([1e6]))
    assert p == pytest.approx(2 * 0.75 - 0.25, rel=1e-15)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_without_decay_it_is_adam(amsgrad: bool) -> None:
    random = np.random.default_rng(1)
    p, q = np.ones(5), np.ones(5)
    ours = AdamW(0.1, (0.8, 0.9), 1e-3, 0.0, amsgrad, maximize=True)
    adam = Adam(0.1, (0.8, 0.9), 1e-3, 0.0, amsgrad, maximize=True)
    for gradient in random.normal(size=(20, 5)):
        ours(p, gradient)
        adam(q, gradient)
    np.testing.assert_array_equal(p, q)
