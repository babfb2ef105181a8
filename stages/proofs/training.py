"""Trainings by hand that keep the parameters of every step. torch's are in training_torch.py."""

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.files.paths import Files
from stages.files.table import read_table
from stages.models.model import Model
from stages.proofs.checks import TrainedOptimizers
from stages.training.optimizer import each_run, model_optimizer
from stages.training.plan import ALL, start
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
        shapes = [values.shape for values in twin.state().values()]
        place = f"params.yaml: checks.training.optimizers.{name}"
        step = each_run([model_optimizer(hyperparameters, optim, shapes, place)])
        taken = twin.steps(step, repeat(ALL, steps))
        found[name] = np.array([twin.parameters[0].copy() for _ in taken])
    return found
