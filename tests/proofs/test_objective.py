"""The objective on which the optimizers are compared."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.proofs.objective import (
    KINDS,
    columns_of,
    groups,
    objective,
    rosenbrock,
    start_of,
)
from stages.proofs.paths import numpy_paths
from stages.task.checks import Case
from stages.task.hyperparameters import LBFGS, SGD

STEPS = 20
WITH_MINIMUM = ("parabola", "quadratic", "rosenbrock")
TERMS = objective(start=1.2, samples=5, steps=STEPS, seed=1)


def case(hyperparameters: Any) -> Case:
    return Case(type(hyperparameters).__name__, "", hyperparameters, "params.yaml: here")


def test_rosenbrocks_function_has_its_published_values() -> None:
    assert rosenbrock(1.0, 1.0) == 0
    assert rosenbrock(-1.2, 1.0) == pytest.approx(24.2e-3, rel=1e-15)


def test_replayed_gradients_are_of_their_kinds() -> None:
    fed = TERMS["replay"].fed
    assert fed is not None
    kinds = dict(zip(KINDS, np.moveaxis(fed.reshape(STEPS, len(KINDS), -1), 1, 0), strict=True))
    assert np.abs(np.diff(kinds["smooth"], axis=0)).max() < 0.03
    assert (kinds["with zeros"] == 0).any(axis=0).all()
    assert (kinds["with zeros"] != 0).any()
    assert (np.sign(kinds["changing signs"][1:]) == -np.sign(kinds["changing signs"][:-1])).all()
    assert 0 < np.abs(kinds["tiny"]).max() < 1e-28
    assert np.abs(kinds["huge"]).min() > 1e26
    sizes = np.abs(kinds["of all sizes"]).max(axis=1)
    assert sizes.max() / sizes.min() > 1e6


def test_the_terms_share_the_row_among_them() -> None:
    columns = columns_of(TERMS)
    taken = np.concatenate([np.arange(1000)[part] for part in columns.values()])
    np.testing.assert_array_equal(taken, np.arange(len(start_of(TERMS))))
    np.testing.assert_array_equal(start_of(TERMS)[columns["rosenbrock"]], [-1.5, 2.0])
    assert start_of(TERMS)[columns["parabola"]] == 1.2


def test_only_an_optimizer_of_whole_models_trains_alone() -> None:
    cases = {3: case(SGD()), 5: case(LBFGS()), 7: case(SGD())}
    found = [(list(group), list(part)) for group, part, _ in groups(cases, TERMS)]
    assert found == [([3, 7], list(TERMS)), *(([5], [name]) for name in WITH_MINIMUM)]


def test_our_path_follows_the_gradient_that_autograd_finds() -> None:
    """Plain gradient descent, each step from where we stand, in all terms at once."""
    (path,) = numpy_paths([case(SGD(lr=0.1))], TERMS, STEPS, "float64")
    here = start_of(TERMS)
    for step, after in enumerate(path):
        row = torch.tensor(here, requires_grad=True)
        total = torch.zeros((), dtype=torch.float64)
        for name, columns in columns_of(TERMS).items():
            term = TERMS[name]
            parts = row[columns].split([int(np.prod(shape)) for shape in term.operands])
            operands = [part.view(shape) for part, shape in zip(parts, term.operands, strict=True)]
            fed = [] if term.fed is None else [torch.tensor(term.fed[step])]
            total = total + term.formula(*operands, *fed).sum()
        (gradient,) = torch.autograd.grad(total, row)
        np.testing.assert_allclose(after, here - 0.1 * gradient.numpy(), rtol=1e-14)
        here = after
