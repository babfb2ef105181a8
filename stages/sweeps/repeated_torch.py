"""Runs of a sweep, trained again in torch, for a process of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stages.files.paths import Files
from stages.files.table import read_table
from stages.models.model import Model
from stages.reference.eager import import_compiler_on_demand
from stages.reference.process import Arrays, answer
from stages.sweeps.grammar import Sweep, with_parts
from stages.training.optimizer_torch import torch_optimizer
from stages.training.plan import Training, plan, start
from stages.training.twin_torch import Twin


def losses(settings: Mapping[str, Any], _: Arrays) -> dict[str, Any]:
    """(runs,) float64: train_loss and test_loss at the end of each run.

    settings: task; its model, training and sweep; runs, for each the name of the optimizer, the
        point, and the seed
    """
    import_compiler_on_demand()
    task, files = settings["task"], Files(settings["task"])
    model = Model.model_validate(settings["model"])
    training = Training.model_validate(settings["training"])
    swept = Sweep.model_validate(settings["sweep"]).swept
    tables = {"train": read_table(files.train), "test": read_table(files.test)}
    found = list[dict[str, float]]()
    for optimizer, point, seed in settings["runs"]:
        fixed = swept[optimizer].fixed
        hyperparameters = swept[optimizer].kind.model_validate(with_parts(fixed, point))
        twin = Twin(start(model, seed, tables["train"]), model, tables)
        place = f"params.yaml: sweeps.{task}.optimizers.{optimizer}"
        step = torch_optimizer(hyperparameters, twin.parameters, place)
        seeded = training.model_copy(update={"seed": seed})
        for batches in plan(task, seeded, tables["train"]).epochs:
            for _loss in twin.steps(step, batches):
                pass
        found.append(twin.evaluate())
    return {
        column: np.array([values[column] for values in found])
        for column in ("train_loss", "test_loss")
    }


if __name__ == "__main__":
    answer(losses)
