"""Trainings by hand that keep the parameters of every step. torch's are in training_torch.py."""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.graph.memory import FEW
from stages.graph.writer import MANY
from stages.reference import process
from stages.task.checks import TrainedOptimizers, TrainingChecks
from stages.task.files import Files
from stages.task.model import Model
from stages.task.table import read_table
from stages.training.plan import ALL
from stages.training.start import start
from stages.training.twin import Twin

Array = NDArray[Any]


@np.errstate(all="ignore")  # a training that diverges shows in its parameters
def trainings(
    task: str, model: Model, seed: int, optimizers: TrainedOptimizers, steps: int
) -> dict[str, Array]:
    """(steps, n) for each optimizer: the parameters after each step, in one row.

    Every step takes all training samples of the task.
    """
    train, found = read_table(Files(task).train), {}
    for name, hyperparameters in optimizers.by_class().items():
        # In one piece, not in tiles: torch's graph with NumPy's kernels knows of none.
        twin = Twin(start(model, seed, train), model, {"train": train}, tile=len(train.target))
        place = f"params.yaml: checks.training.optimizers.{name}"
        taken = twin.steps(twin.optimizer(hyperparameters, place), repeat(ALL, steps))
        found[name] = np.array([twin.parameters[0].copy() for _ in taken])
    return found


def trainings_of_all(
    task: str, model: Model, seed: int, checks: TrainingChecks
) -> tuple[dict[str, Array], Mapping[str, Array], Mapping[str, Array]]:
    """`trainings` by hand, by torch with the same kernels, and by torch with its own.

    The first are as long as the longer of the others.
    """
    given = {"task": task, "model": model.model_dump(), "seed": seed}
    given["optimizers"] = checks.optimizers.model_dump(by_alias=True)
    layout = {"few": FEW, "many": MANY}
    ieee = given | {"steps": checks.steps, "layout": layout}
    native = given | {"steps": checks.drift_steps, "layout": None}
    steps = max(checks.steps, checks.drift_steps)
    with (
        process.start("stages.proofs.trainings_torch", "ieee", ieee, {}) as same,
        process.start("stages.proofs.trainings_torch", "native", native, {}) as own,
    ):
        ours = trainings(task, model, seed, checks.optimizers, steps)
        return ours, same.result(), own.result()
