"""How far rounding takes a training, and that a right twin is within that, a wrong one beyond."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from clouds import Case, Path, apart, by_hand, in_a_row, in_torch
from networks import mlp
from numpy.typing import NDArray

from stages.proofs.claims import BOUND, CLOUD
from stages.proofs.difference import relative_difference, ulp_differences
from stages.task import hyperparameters as sections
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table
from stages.task.training import Training
from stages.training.cloud import RUNS, last_bits

Array = NDArray[Any]


def case(
    optimizer: Hyperparameters, model: dict[str, Any], target: str = "class", **training: Any
) -> Case:
    """A training of 40 samples, whose target is a class, or a number around 1 or 100,000."""
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 6))
    number = x @ random.normal(size=6) + 0.3 * random.normal(size=40)
    given = {"hidden": [8], "activation": "tanh", "loss": "half_mse", "dtype": "float64"} | model
    names = [f"x{column}" for column in range(6)]
    if target == "class":
        table = Table(x, (number > 0).astype(np.int64), names, "y", ["low", "high"])
        given |= {"loss": "cross_entropy"}
    else:
        table = Table(x, 1e5 + 2e4 * number if target == "large" else number, names, "y")
    asked = {"epochs": 40, "batch_size": 8, "seed": 1} | training
    error = 1e-9 if given["dtype"] == "float64" else 1e-3
    return Case(table, mlp(**given), Training(**asked), optimizer, error)


CASES = {
    "momentum": case(sections.SGD(lr=0.05, momentum=0.9, weight_decay=1e-3), {}),
    "line": case(sections.SGD(lr=0.01, weight_decay=1e-3), {"hidden": []}, "number"),
    "full batch": case(sections.Adam(lr=0.01), {"activation": "relu"}, batch_size="full"),
    "AdamW": case(sections.AdamW(lr=0.003), {"hidden": [16, 16]}),
    "float32": case(sections.Adagrad(lr=0.05), {"dtype": "float32"}),
    "strong Wolfe": case(
        sections.LBFGS(lr=0.5, max_iter=3, line_search_fn="strong_wolfe"),
        {"activation": "sigmoid"},
        epochs=2,
    ),
}
# What a fixed bound of the difference calls wrong.
BADLY_CONDITIONED = {
    "large numbers": case(
        sections.LBFGS(lr=1.0, max_iter=4), {"activation": "relu"}, "large", epochs=5
    ),
    "saturated": case(sections.SGD(lr=0.01, momentum=0.9), {"hidden": [16]}, "large"),
    "chaotic": case(sections.RMSprop(lr=0.05), {"hidden": [16, 16]}, epochs=80),
    "signs": case(sections.Rprop(lr=0.01), {}, "large", batch_size="full", epochs=150),
}


@cache
def ours(name: str) -> tuple[Path, Array]:
    return by_hand((CASES | BADLY_CONDITIONED)[name])


@pytest.mark.parametrize("name", [*CASES, *BADLY_CONDITIONED])
def test_a_right_twin_is_within_the_cloud(name: str) -> None:
    path, around = ours(name)
    theirs = in_torch((CASES | BADLY_CONDITIONED)[name])
    assert apart(path, theirs, around) <= CLOUD
    if name in BADLY_CONDITIONED:
        ends = [in_a_row(list(each.values())[-1]) for each in (path, theirs)]
        assert relative_difference(*ends) > BOUND["float64"]


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        (name, mistake)
        for name, case in CASES.items()
        for mistake in case.mistakes()
        # to the others the size of an array's gradients means nothing, or next to nothing
        if mistake != "factor" or isinstance(case.optimizer, sections.SGD)
    ],
)
def test_a_mistake_is_beyond_it(name: str, mistake: str) -> None:
    path, around = ours(name)
    assert apart(path, in_torch(CASES[name], mistake), around) > CLOUD


def test_the_cloud_is_the_same_again() -> None:
    one, found = CASES["momentum"], ours("momentum")[1]
    assert found.shape == (51, RUNS)
    assert (found > 0).all()
    np.testing.assert_array_equal(by_hand(one)[1], found)


def test_without_steps_the_cloud_is_a_random_walk_of_last_bits() -> None:
    """With next to no learning rate, it is √steps · ε: each parameter moves by itself."""
    still = case(sections.SGD(lr=1e-30), {}, epochs=100, batch_size="full", snapshots=101)
    _, around = by_hand(still)
    walk = np.finfo(np.float64).eps * np.sqrt(np.arange(1, 102))
    np.testing.assert_array_less(around.mean(axis=1), walk * 1.6)
    np.testing.assert_array_less(walk * 0.6, around.mean(axis=1))


def test_a_training_that_diverges_has_a_cloud_up_to_there() -> None:
    steep = case(sections.SGD(lr=1e3), {"hidden": []}, "number", epochs=200)
    path, around = by_hand(steep)
    assert len(around) == len(path) == 51
    finite = np.isfinite([in_a_row(state) for state in path.values()]).all(axis=1)
    assert 1 < finite.sum() < 51
    assert (around[: finite.sum() // 2] < 1e-14).all()
    assert np.isnan(around[~finite]).all()
    assert apart(path, in_torch(steep), around) <= CLOUD


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [7, 100_000])
def test_last_bits_move_every_number_by_a_unit_or_two(dtype: str, size: int) -> None:
    random = np.random.default_rng(1)
    before = random.normal(size=(3, 2, size)).astype(dtype).swapaxes(0, 2)
    before[0, 0, :] = 0, np.inf, -np.inf
    values = before.copy(order="K")[:, ::-1]
    before = before[:, ::-1]
    last_bits(random)(values)()
    apart = ulp_differences(before, values)
    assert (apart[0, -1] == 0).all()
    moved = apart[1:]
    assert moved.min() == 1
    assert moved.max() == 2
    assert abs(float(np.mean(np.abs(values[1:]) > np.abs(before[1:]))) - 0.5) < 0.5 / np.sqrt(size)
