"""The same step in PyTorch, in a process of its own: its loss, gradients and parameters."""

from itertools import chain, islice
from typing import Any

import numpy as np

from stages.reference.process import Arrays, answer
from stages.task.command import read_section
from stages.task.files import Files
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import read_parts
from stages.task.training import Training
from stages.training.plan import plan
from stages.training.start import start
from stages.training.twin_torch import Twin


def work(settings: Any, _: Arrays) -> Arrays:
    """Trains a task up to a step, as the stage train_torch does.

    settings: `task`, and `step`, from 1
    returns: "loss" before the step; "∂" and the name of each parameter, its gradient; and by the
        name alone the parameter after the step
    """
    task = settings["task"]
    model = read_section(Model, "tasks", task, "model")
    training = read_section(Training, "tasks", task, "training")
    name = read_section(str, "tasks", task, "optimizer")
    optimizers = read_section(dict[str, Any], "tasks", task, "optimizers")
    tables = read_parts(Files(task))
    twin = Twin(start(model, training.seed, tables["train"]), model, tables)
    place = f"params.yaml: tasks.{task}.optimizers.{name}"
    optimizer = twin.optimizer(selected(name, optimizers), place)
    batches = chain.from_iterable(plan(task, training, tables["train"]).epochs)
    losses = list(twin.steps(optimizer, islice(batches, settings["step"])))
    found = {f"∂{name}": parameter.grad for name, parameter in twin.network.named_parameters()}
    gradients = {name: each.numpy() for name, each in found.items() if each is not None}
    return {**twin.state(), **gradients, "loss": np.array([losses[-1]])}


if __name__ == "__main__":
    answer(work)
