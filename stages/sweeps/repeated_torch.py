"""Runs of a sweep, trained again in torch, for a process of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from stages.reference.process import Arrays, answer
from stages.task.files import Files
from stages.task.grammar import Sweep, with_parts
from stages.task.model import Model
from stages.task.table import read_parts
from stages.task.training import Training
from stages.training.plan import plan
from stages.training.start import start
from stages.training.twin_torch import Twin


def losses(settings: Mapping[str, Any], _: Arrays) -> dict[str, Any]:
    """(runs,) float64: train_loss, and test_loss if any sample tests, at the end of each run.

    settings: task; its model, training and sweep; runs, for each the name of the optimizer, the
        point, and the seed
    """
    task, files = settings["task"], Files(settings["task"])
    model = Model.model_validate(settings["model"])
    training = Training.model_validate(settings["training"])
    swept = Sweep.model_validate(settings["sweep"]).swept
    tables = read_parts(files)
    found = list[dict[str, float]]()
    for optimizer, point, seed in settings["runs"]:
        fixed = swept[optimizer].fixed
        hyperparameters = swept[optimizer].kind.model_validate(with_parts(fixed, point))
        twin = Twin(start(model, seed, tables["train"]), model, tables)
        place = f"params.yaml: sweeps.{task}.optimizers.{optimizer}"
        step = twin.optimizer(hyperparameters, place)
        seeded = training.model_copy(update={"seed": seed})
        for batches in plan(task, seeded, tables["train"]).epochs:
            for _loss in twin.steps(step, batches):
                pass
        found.append(twin.evaluate())
    return {
        f"{part}_loss": np.array([values[f"{part}_loss"] for values in found]) for part in tables
    }


if __name__ == "__main__":
    answer(losses)
