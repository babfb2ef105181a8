"""SGD: closed forms."""

import numpy as np

from stages.optim import SGD


def test_the_step_of_the_seed() -> None:
    p = np.array(1.2)
    SGD(0.1)(p, np.array(0.25))
    assert p == 1.2 - 0.1 * 0.25


def test_momentum_of_a_constant_gradient_is_a_geometric_series() -> None:
    p = np.zeros(1)
    optimizer = SGD(lr=1.0, momentum=0.5)
    for step in range(1, 21):
        before = p.copy()
        optimizer(p, np.ones(1))
        assert before - p == 2 - 0.5 ** (step - 1)


def test_dampening_leaves_the_first_step_alone() -> None:
    p = np.zeros(1)
    optimizer = SGD(lr=1.0, momentum=0.5, dampening=0.75)
    optimizer(p, np.ones(1))
    assert p == -1
    optimizer(p, np.ones(1))
    assert p == -1 - (0.5 + 0.25)


def test_weight_decay_alone_shrinks_the_parameters() -> None:
    p = np.array([2.0, -4.0])
    SGD(lr=0.5, weight_decay=0.5)(p, np.zeros(2))
    np.testing.assert_array_equal(p, [1.5, -3.0])
