"""Runs of a sweep in torch, against the torch twin's training with the same settings."""

from typing import Any

import numpy as np
import pytest
from small_sweeps import NAME, classifier, given, regression, run_blocks
from trainings import Task, train

from stages.sweep import chosen_runs, drift
from stages.sweeps.repeated_torch import losses

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

CASES: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (classifier, {"adam": {"lr": [0.01, 0.1], "betas": [0.8, [0.9, 0.99]]}}, {}),
    (classifier, {"sgd": {"lr": 0.1, "momentum": [0.5]}}, {"training__batch_size": 30}),
    (regression, {"rprop": {"lr": [0.01]}}, {"model__dtype": "float32"}),
]


@pytest.mark.parametrize(("kind", "optimizers", "changes"), CASES)
def test_losses_are_those_of_the_torch_twin(
    kind: Any, optimizers: dict[str, Any], changes: dict[str, Any]
) -> None:
    task = kind(optimizers, **changes)
    ((name, swept),) = task.sweep.swept.items()
    points = swept.points(np.random.default_rng(0))
    last = {axis: values[-1] for axis, values in points.items()}
    found = losses(given(task) | {"runs": [[name, last, seed] for seed in (5, 6)]}, {})
    whole = {axis: value for axis, value in last.items() if "[" not in axis}
    pairs = {"betas": (last["betas[0]"], last["betas[1]"])} if "betas[0]" in last else {}
    for number, seed in enumerate((5, 6)):
        content = task.model_dump(exclude_none=True) | {
            "optimizer": name,
            "optimizers": {name: whole | pairs},
            "training": task.training.model_dump() | {"seed": seed},
        }
        _, _, history = train("torch", NAME, Task.model_validate(content))
        for column in ("train_loss", "test_loss"):
            assert found[column][number] == history[column][-1]
            assert found[column][0] != found[column][1]


def test_no_runs() -> None:
    found = losses(given(classifier({"sgd": {"lr": 1}})) | {"runs": []}, {})
    shapes = {name: values.shape for name, values in found.items()}
    assert shapes == {"train_loss": (0,), "test_loss": (0,)}


def test_runs_that_did_not_diverge_are_repeated_in_torch() -> None:
    """In another process; an optimizer without a reference takes the steps of its own class."""
    task = regression(
        {
            "sgd": {"lr": [0.01, 1e30]},
            "adam": {"lr": [0.1, 0.2]},
            "mine": {"class": "stages.optim.SGD", "lr": [0.02]},
        },
        seeds=1,
        training__epochs=20,
        model__dtype="float32",
        sweep__repeated=100,
    )
    gathered = run_blocks(task)
    assert [runs.results["diverged"].sum() for runs in gathered] == [1, 0, 0]
    chosen, seeds = chosen_runs(gathered, task.sweep.repeated, 1), [task.training.seed]
    found = drift(chosen, seeds, given(task))
    assert found["runs"] == 4
    assert found["train_loss"] is not None
    assert found["test_loss"] is not None
    assert 0 < found["train_loss"] < 1e-5
    assert 0 < found["test_loss"] < 1e-5
    # the losses compared are those of these runs
    gathered[2].results["train_loss"][0, 0] *= 1.5
    wrong = drift(chosen, seeds, given(task))
    assert wrong["train_loss"] == pytest.approx(1 / 3, rel=1e-5)
