"""Every run of a block equals, bit for bit, what train_numpy computes with the same settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sweeps import NAME, classifier, plan_blocks, regression, run_blocks, same
from trainings import Task, train

from stages.sweeps import blocks
from stages.sweeps.results import Runs
from stages.task.errors import InputError
from stages.task.grammar import with_parts
from stages.task.optimizers import Own
from stages.task.table import Table, write_table

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

EVERY = {
    **{
        name: {"lr": [0.003, 0.3]}
        for name in ("adamw", "adamax", "nadam", "radam", "adagrad", "rprop", "asgd")
    },
    "sgd": {"lr": 0.1, "momentum": [0, 0.9], "weight_decay": {"linear": [0, 0.1], "points": 2}},
    "adam": {"lr": 0.1, "betas": [[0.5, 0.9], 0.99], "amsgrad": [True, False]},
    "adadelta": {"draws": 3, "lr": {"loguniform": [0.1, 10]}, "rho": {"uniform": [0, 1]}},
    "rmsprop": {"lr": 0.01, "centered": [True, False], "momentum": [0.0, 0.5]},
}
SOME = {
    "sgd": {"lr": {"log": [0.001, 0.1], "points": 5}, "momentum": 0.9, "nesterov": [True, False]},
    "adam": {"lr": [0.01, 0.1, 1, 10]},
}


def alone(task: Task, runs: Runs, point: int, seed: int) -> dict[str, Any]:
    """The results of one run as train_numpy computes them."""
    swept = task.sweep.swept[runs.optimizer]
    values = with_parts(swept.fixed, {axis: v[point] for axis, v in runs.points.items()})
    content = task.model_dump(exclude_none=True) | {
        "optimizer": runs.optimizer,
        "optimizers": {runs.optimizer: values},
        "training": task.training.model_dump() | {"seed": task.training.seed + seed},
    }
    _, _, history = train("numpy", NAME, Task.model_validate(content))
    found = {"steps": history.pop("step")[-1], "diverged": np.isnan(history["train_loss"][-1])}
    del history["epoch"]
    for name, values in history.items():
        known = np.array(values)[~np.isnan(values)]
        best = max if name.endswith("accuracy") else min
        found |= {name: values[-1], f"best_{name}": best(known, default=np.nan)}
    return found


def assert_each_run_is_as_alone(task: Task) -> list[Runs]:
    gathered = run_blocks(task)
    for runs in gathered:
        for point, seed in np.ndindex(runs.losses.shape):
            expected = alone(task, runs, point, seed)
            found = {name: values[point, seed] for name, values in runs.results.items()}
            assert found.keys() == expected.keys()
            for name, value in found.items():
                assert same(np.float64(value), np.float64(expected[name])), (runs.optimizer, name)
    return gathered


def test_every_optimizer() -> None:
    gathered = assert_each_run_is_as_alone(classifier(EVERY))
    assert [len(runs) for runs in gathered] == [2] * 7 + [4, 4, 3, 4]
    losses = np.concatenate([runs.losses.reshape(-1) for runs in gathered])
    assert len(np.unique(losses)) == len(losses)
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("task", [classifier, regression])
@pytest.mark.parametrize("batch", ["full", 30])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_kind_of_training(task: Any, batch: Any, dtype: str) -> None:
    """70 samples in batches of 30: the last is smaller."""
    changes = {"training__batch_size": batch, "model__dtype": dtype}
    gathered = assert_each_run_is_as_alone(task({"sgd": {"lr": [0.01, 0.1]}}, **changes))
    assert (gathered[0].results["steps"] == (3 if batch == "full" else 9)).all()


@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_size_of_a_block_changes_no_bit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    task = classifier(SOME, seeds=3, training__batch_size=32)
    expected = run_blocks(task)
    monkeypatch.setattr(blocks, "RUNS", size)
    planned = plan_blocks(task)
    assert max(len(one.rows) for one in planned) == min(size, 5)  # each value of nesterov has 5
    rows = np.concatenate([one.rows for one in planned])
    assert sorted(rows) == list(range(14 * 3))
    for one, other in zip(run_blocks(task), expected, strict=True):
        assert {name: values.tolist() for name, values in one.points.items()} == {
            name: values.tolist() for name, values in other.points.items()
        }
        assert all(same(values, other.results[name]) for name, values in one.results.items())


@pytest.mark.parametrize("batch", ["full", 30])
def test_a_run_that_diverges_leaves_the_others_as_they_are(batch: Any) -> None:
    """With lr 1e5 and 1e30 the loss becomes infinite, in different epochs."""
    rates = [0.01, 1e30, 0.02, 1e5, 0.03]
    changes = {"training__epochs": 40, "training__batch_size": batch, "model__dtype": "float32"}
    (runs,) = assert_each_run_is_as_alone(regression({"sgd": {"lr": rates}}, **changes))
    diverged = np.isin(np.array(rates), [1e30, 1e5])
    assert (runs.results["diverged"] == diverged[:, None]).all()
    assert np.isnan(runs.results["test_loss"][diverged]).all()
    assert np.isfinite(runs.results["best_train_loss"]).all()
    steps = runs.results["steps"]
    assert (steps[~diverged] == (40 if batch == "full" else 120)).all()
    assert (steps[1] < steps[3]).all()
    assert (steps[3] < steps[0]).all()


def test_a_training_that_has_diverged_before_its_first_step() -> None:
    task = regression({"sgd": {"lr": [0.01, 0.1]}})
    x = np.linspace(-1e200, 1e200, 20)[:, None]
    for part in ("train", "test"):
        write_table(Path("data", NAME, f"{part}.parquet"), Table(x, x[:, 0], ["x"], "y"))
    (runs,) = assert_each_run_is_as_alone(task)
    assert (runs.results["steps"] == 1).all()
    assert np.isnan(runs.results["best_train_loss"]).all()


def test_blocks_share_all_but_numbers() -> None:
    for one in plan_blocks(classifier(EVERY | SOME)):
        for values in one.points.values():
            assert values.dtype == np.float64 or len(set(values)) == 1


REFUSED = {
    "stages.optim.Muon": "Muon cannot be swept: it trains one run at a time",
    "stages.optim.LBFGS": "LBFGS cannot be swept: it trains one run at a time",
    "stages.own.none.None_": "there is no module stages.own.none",
    "stages.optim.Adm": "stages.optim has no class Adm (did you mean Adam?)",
    "collections.Counter": "collections.Counter is not an optimizer: it lacks the method "
    "__call__(self, parameters, gradients)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_swept_is_one_line(name: str) -> None:
    task = classifier({"mine": {"class": name, "lr": [0.1, 0.2]}})
    with pytest.raises(InputError) as caught:
        run_blocks(task)
    assert str(caught.value) == f"params.yaml: sweeps.{NAME}.optimizers.mine: {REFUSED[name]}"


def test_a_hyperparameter_that_the_class_refuses() -> None:
    task = classifier({"mine": {"class": "stages.optim.SGD", "lr": [0.1, -0.2]}})
    with pytest.raises(InputError, match=r"mine: SGD refuses it: lr must be at least 0, got -0.2"):
        run_blocks(task)


def test_an_optimizer_of_ones_own_trains_with_pairs_and_texts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    class Mine:
        def __init__(self, lr: Any, betas: tuple[float, float], kind: str) -> None:
            seen.append((lr.tolist(), betas, kind))

        def __call__(self, parameters: Any, gradients: Any) -> None:
            parameters -= gradients

    monkeypatch.setattr("stages.optim.Mine", Mine, raising=False)
    pairs = [[0.9, 0.99], [0.5, 0.6]]
    mine = {"class": "stages.optim.Mine", "lr": [1, 2], "betas": pairs, "kind": "signed"}
    task = classifier({"mine": mine}, seeds=1)
    assert task.sweep.swept["mine"].kind is Own
    run_blocks(task)
    assert seen == [([1.0, 2.0], (0.9, 0.99), "signed"), ([1.0, 2.0], (0.5, 0.6), "signed")]
