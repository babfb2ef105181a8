"""Optimizers as a model's training calls them, and what is said of one that cannot be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages import optim
from stages.optim import SGD, Adafactor, SparseAdam
from stages.optim.sparse_adam import Rows
from stages.task import hyperparameters as sections
from stages.task.errors import InputError
from stages.training.optimizer import Step, model_optimizer
from stages.training.optimizer_torch import torch_optimizer

SHAPES = [(2, 3), (3,), (1, 1)]
SIZES = (6, 3, 1)
PLACE = "params.yaml: here"


def step_of(hyperparameters: sections.Hyperparameters) -> Step:
    return model_optimizer(hyperparameters, optim, SHAPES, PLACE)


def never() -> float:
    raise AssertionError("nobody asked for another evaluation")


def parts(row: np.ndarray) -> list[np.ndarray]:
    split = np.split(row, np.cumsum(SIZES)[:-1])
    return [part.reshape(shape) for part, shape in zip(split, SHAPES, strict=True)]


def test_one_that_works_element_by_element_takes_the_row() -> None:
    random = np.random.default_rng(1)
    row, gradients = random.normal(size=(2, sum(SIZES)))
    expected = row.copy()
    SGD(lr=0.1)(expected, gradients)
    step_of(sections.SGD(lr=0.1))(row, gradients, never)
    np.testing.assert_array_equal(row, expected)


def test_one_that_works_on_arrays_takes_each_in_its_shape() -> None:
    random = np.random.default_rng(1)
    row = random.normal(size=sum(SIZES))
    step = step_of(sections.Adafactor(lr=0.1))
    expected = [part.copy() for part in parts(row)]
    alone = [Adafactor(lr=0.1) for _ in SHAPES]
    for _ in range(3):
        gradients = random.normal(size=row.shape)
        step(row, gradients, never)
        for optimizer, array, gradient in zip(alone, expected, parts(gradients), strict=True):
            optimizer(array, gradient)
    for array, part in zip(expected, parts(row), strict=True):
        np.testing.assert_array_equal(part, array)


def test_one_that_takes_rows_is_given_those_that_are_not_zero() -> None:
    gradients = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    row, expected = np.ones(6), np.ones((3, 2))
    hyperparameters = sections.SparseAdam(lr=0.1)
    model_optimizer(hyperparameters, optim, [(3, 2)], PLACE)(row, gradients.reshape(-1), never)
    SparseAdam(lr=0.1)(expected, Rows(np.array([1]), gradients[1:2]))
    np.testing.assert_array_equal(row.reshape(3, 2), expected)
    np.testing.assert_array_equal(row[[0, 1, 4, 5]], 1)


def test_one_that_asks_for_it_may_evaluate_again() -> None:
    row, gradients = np.full(10, 3.0), np.empty(10)
    evaluations = 0

    def evaluate() -> float:
        nonlocal evaluations
        evaluations += 1
        gradients[:] = 2 * (row - 1)
        return float(((row - 1) ** 2).sum())

    step_of(sections.LBFGS(line_search_fn="strong_wolfe"))(row, gradients, evaluate)
    np.testing.assert_allclose(row, 1, rtol=1e-12)
    assert evaluations > 1


MINE = """
class Plain:
    def __init__(self, lr=0.1, decay=0.0):
        if lr < 0:
            raise ValueError(f"lr must not be negative, got {lr}")

    def __call__(self, parameters, gradients):
        parameters -= 1

class Silent:
    pass

class Running:
    def __init__(self):
        raise AssertionError("this must not run")

class Demanding(Plain):
    def __init__(self, lr):
        pass

class Anything(Plain):
    def __init__(self, **hyperparameters):
        self.hyperparameters = hyperparameters
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_for_a_test.py").write_text(MINE)
    (tmp_path / "broken_for_a_test.py").write_text("import nothing_like_it")
    monkeypatch.syspath_prepend(tmp_path)


def own(name: str, **values: Any) -> sections.Own:
    return sections.Own.model_validate({"class": name} | values)


@pytest.mark.usefixtures("mine")
def test_one_of_the_users_own() -> None:
    row = np.ones(10)
    for name, values in {"Plain": {"lr": 1}, "Anything": {"whatever": 1}}.items():
        step_of(own(f"mine_for_a_test.{name}", **values))(row, row, never)
    np.testing.assert_array_equal(row, -1)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("yours.Plain", {}, ": there is no module yours"),
        ("stages.own.lion.Lion", {}, ": there is no module stages.own.lion"),
        (
            "mine_for_a_test.Plane",
            {},
            ": mine_for_a_test has no class Plane (did you mean Plain?)",
        ),
        (
            "mine_for_a_test.Silent",
            {},
            ": mine_for_a_test.Silent is not an optimizer: it lacks the method "
            "__call__(self, parameters, gradients)",
        ),
        (
            "mine_for_a_test.Running",
            {},
            ": mine_for_a_test.Running is not an optimizer: it lacks the method "
            "__call__(self, parameters, gradients)",
        ),
        (
            "torch.optim.SGD",
            {"lr": 0.1},
            ": torch.optim.SGD is an optimizer of torch, which can be the reference; class must be "
            "one in NumPy, with the method __call__(self, parameters, gradients)",
        ),
        (
            "mine_for_a_test.Plain",
            {"lrs": 0.1},
            ".lrs: unknown hyperparameter (did you mean lr?); valid hyperparameters are lr, decay",
        ),
        (
            "mine_for_a_test.Plain",
            {"lr": -1},
            ": Plain refuses it: lr must not be negative, got -1",
        ),
        (
            "mine_for_a_test.Plain",
            {"lr": "fast"},
            ": Plain refuses it: '<' not supported between instances of 'str' and 'int'",
        ),
        ("mine_for_a_test.Demanding", {}, ".lr: is missing; Demanding needs it"),
        (
            "broken_for_a_test.Plain",
            {},
            ": broken_for_a_test imports nothing_like_it, which is not installed",
        ),
    ],
)
def test_what_is_wrong_is_said_by_name(name: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        step_of(own(name, **values))
    assert str(caught.value) == PLACE + message


@pytest.mark.usefixtures("mine")
def test_a_reference_that_is_no_optimizer_of_torch_is_not_made() -> None:
    hyperparameters = own("mine_for_a_test.Plain", reference="mine_for_a_test.Running")
    with pytest.raises(InputError) as caught:
        torch_optimizer(hyperparameters, [torch.zeros(1)], PLACE)
    assert str(caught.value) == (
        f"{PLACE}: mine_for_a_test.Running is not an optimizer of torch: reference must be a "
        "subclass of torch.optim.Optimizer, or null"
    )
