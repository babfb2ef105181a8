"""Runs of a sweep, trained again in torch, for a process of its own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stages.files.files import Files, Table, read_table
from stages.models.mlp_torch import LOSSES, network
from stages.reference.eager import import_compiler_on_demand
from stages.reference.process import Arrays, answer
from stages.schema.parameters import Task, read_parameters
from stages.sweeps.grammar import with_parts
from stages.training.hyperparameters import Hyperparameters
from stages.training.optimizer_torch import torch_optimizer
from stages.training.plan import plan


def losses(settings: Mapping[str, Any], _: Arrays) -> dict[str, Any]:
    """(runs,) float64: train_loss and test_loss at the end of each run.

    settings: task, its name; runs, for each the name of the optimizer, the point, and the seed
    """
    import_compiler_on_demand()
    name = settings["task"]
    task = read_parameters().tasks[name]
    swept, found = task.sweep.swept, []
    for optimizer, point, seed in settings["runs"]:
        hyperparameters = swept[optimizer].kind.model_validate(
            with_parts(swept[optimizer].fixed, point)
        )
        place = f"params.yaml: tasks.{name}.sweep.optimizers.{optimizer}"
        training = task.training.model_copy(update={"seed": seed})
        seeded = task.model_copy(update={"training": training})
        found.append(train(name, seeded, hyperparameters, place))
    train_loss, test_loss = np.array(found).reshape(-1, 2).T
    return {"train_loss": train_loss, "test_loss": test_loss}


def train(name: str, task: Task, hyperparameters: Hyperparameters, place: str) -> list[float]:
    """The losses of the train and the test samples at the end of one run.

    place: where params.yaml names the optimizer, for messages
    """
    tables = [read_table(path) for path in (Files(name).train, Files(name).test)]
    dtype = getattr(torch, task.model.dtype)
    samples = [_tensors(table, dtype) for table in tables]
    planned, criterion = plan(name, task, tables[0]), LOSSES[task.model.loss]
    model = network(planned.sizes, task.model.activation, task.model.dtype)
    start = planned.initial_parameters.items()
    model.load_state_dict({key: torch.from_numpy(values) for key, values in start})
    optimizer = torch_optimizer(hyperparameters, list(model.parameters()), place)
    x, target = samples[0]
    for batches in planned.epochs:
        for batch in batches:

            def closure(x: Tensor = x[batch], target: Tensor = target[batch]) -> float:
                loss = criterion(model(x), target)
                optimizer.zero_grad()
                loss.backward()
                return loss.item()

            optimizer.step(closure)
    with torch.no_grad():
        return [criterion(model(x), target).item() for x, target in samples]


def _tensors(table: Table, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Features and target, labels as they are and numbers as a column."""
    target = torch.from_numpy(table.target)
    features = torch.from_numpy(table.features).to(dtype)
    return features, target if table.classes is not None else target[:, None].to(dtype)


if __name__ == "__main__":
    answer(losses)
