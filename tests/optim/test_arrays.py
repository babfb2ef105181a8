"""Arrays that no optimizer can work with: refused in one line, where torch refuses them too."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from stages import optim
from stages.optim.sparse_adam import Rows
from stages.task.hyperparameters import BUILT_IN

NAMES = [kind.__name__ for kind in BUILT_IN]
MATRIX = np.ones((3, 2))


def step(optimizer: Any, parameters: Any, gradients: Any) -> None:
    match type(optimizer).__name__:
        case "LBFGS":
            optimizer(parameters, gradients, lambda: 1.0)
        case "SparseAdam":
            optimizer(parameters, Rows(np.array([0]), np.ones((1, 2))))
        case _:
            optimizer(parameters, gradients)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("parameters", "got"),
    [
        (MATRIX.astype(np.int64), "int64 of shape (3, 2)"),
        (MATRIX.astype(np.float16), "float16 of shape (3, 2)"),
        (MATRIX > 0, "bool of shape (3, 2)"),
        (MATRIX.astype(complex), "complex128 of shape (3, 2)"),
        (MATRIX.tolist(), "list"),
        (1.0, "float"),
    ],
)
def test_parameters_that_are_no_float64_or_float32(name: str, parameters: Any, got: str) -> None:
    message = f"parameters must be a float64 or float32 array, got {got}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        step(getattr(optim, name)(), parameters, parameters)


def test_torch_refuses_integers_too() -> None:
    with pytest.raises(RuntimeError, match="floating point"):
        torch.ones(2, dtype=torch.int64, requires_grad=True)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "SparseAdam"])
@pytest.mark.parametrize(
    ("gradients", "got"),
    [
        (np.ones((1, 2)), "float64 of shape (1, 2)"),  # which would broadcast
        (np.ones(2), "float64 of shape (2,)"),
        (np.ones((3, 2, 1)), "float64 of shape (3, 2, 1)"),
        (np.float64(1), "float64"),
        (MATRIX.astype(np.float32), "float32 of shape (3, 2)"),
        (None, "NoneType"),
    ],
)
def test_gradients_that_are_not_like_the_parameters(name: str, gradients: Any, got: str) -> None:
    """At the first step or at a later one; nothing moves."""
    message = f"gradients must be float64 of shape (3, 2) like the parameters, got {got}"
    for steps in (0, 2):
        optimizer, p = getattr(optim, name)(), MATRIX.copy()
        for _ in range(steps):
            step(optimizer, p, MATRIX)
        before = p.copy()
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            step(optimizer, p, gradients)
        np.testing.assert_array_equal(p, before)


def test_torch_refuses_gradients_of_another_shape_or_dtype() -> None:
    theirs = torch.ones(3, 2, requires_grad=True)
    for gradient in (torch.ones(1, 2), torch.ones(3, 2, dtype=torch.float64)):
        with pytest.raises(RuntimeError, match="assign"):
            theirs.grad = gradient


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", [np.ones((4, 2)), np.ones((3, 2), np.float32)])
def test_parameters_that_are_others_than_before(name: str, other: np.ndarray) -> None:
    optimizer = getattr(optim, name)()
    step(optimizer, MATRIX.copy(), MATRIX)
    message = f"parameters must be float64 of shape (3, 2) as in the first step, got {other.dtype}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        step(optimizer, other, other)


@pytest.mark.parametrize("name", ["Adafactor", "Muon", "LBFGS"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_without_elements_there_is_no_mean_and_no_norm(name: str, shape: tuple[int, int]) -> None:
    message = f"parameters must have elements, got float64 of shape {shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        step(getattr(optim, name)(), np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("name", [kind.__name__ for kind in BUILT_IN if kind.scope == "element"])
def test_no_elements_are_nothing_to_do(name: str) -> None:
    getattr(optim, name)()(np.zeros((2, 0)), np.zeros((2, 0)))


@pytest.mark.parametrize("shape", [(3, 2), (2,), (2, 2, 2), ()])
def test_hyperparameters_of_other_runs_than_the_parameters(shape: tuple[int, ...]) -> None:
    two = np.array([0.1, 0.2])
    for optimizer, name in ((optim.SGD(lr=two), "lr"), (optim.Adam(betas=(0.9, two)), "betas")):
        message = (
            f"{name} has values for 2 runs, but the parameters, which must be (runs, n), "
            f"have the shape {shape}"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            optimizer(np.ones(shape), np.ones(shape))
        optimizer(np.ones((2, 5)), np.ones((2, 5)))
