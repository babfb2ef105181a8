"""The torch twin: trains a task's model with torch.nn, autograd and torch.optim."""

from typing import Any, Literal

import torch

from stages.task.command import run
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import read_parts
from stages.task.training import Training
from stages.training.plan import plan
from stages.training.record import Record
from stages.training.start import start
from stages.training.twin_torch import Twin


def main(
    task: str,
    model: Model,
    training: Training,
    optimizer: str,
    optimizers: dict[str, Any],
    device: Literal["cpu", "cuda"],
) -> None:
    """Trains, and writes the model, its snapshots and its history."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("params.yaml: device: must be cpu, since torch finds no GPU; got cuda")
    files = Files(task)
    tables = read_parts(files)
    planned = plan(task, training, tables["train"])
    twin = Twin(start(model, training.seed, tables["train"]), model, tables, device)
    place = f"params.yaml: tasks.{task}.optimizers.{optimizer}"
    step = twin.optimizer(selected(optimizer, optimizers), place)
    record = Record(planned.snapshot_steps, twin.state, twin.evaluate)
    try:
        for loss in twin.steps(step, record.batches(planned.epochs)):
            record.loss = loss
    except ArithmeticError as error:  # of the optimizer: ASGD divides by a power that can be 0
        raise InputError(f"{place}: torch ends the training: {error}") from None
    record.write(files, "torch")


if __name__ == "__main__":
    run(main)
