"""The torch twin: trains a task's model with torch.nn, autograd and torch.optim."""

from typing import Literal

import torch

from stages.files.paths import Files
from stages.files.table import read_table
from stages.models.model import Model
from stages.params.command import run
from stages.params.errors import InputError
from stages.reference.eager import import_compiler_on_demand
from stages.training.hyperparameters import Optimizers
from stages.training.optimizer_torch import torch_optimizer
from stages.training.plan import Training, plan, start
from stages.training.record import Record
from stages.training.twin_torch import Twin


def main(
    task: str,
    model: Model,
    training: Training,
    optimizer: str,
    optimizers: Optimizers,
    device: Literal["cpu", "cuda"],
) -> None:
    """Trains, and writes the model, its snapshots and its history."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("params.yaml: device: must be cpu, since torch finds no GPU; got cuda")
    import_compiler_on_demand()
    files = Files(task)
    tables = {"train": read_table(files.train), "test": read_table(files.test)}
    planned = plan(task, training, tables["train"])
    twin = Twin(start(model, training.seed, tables["train"]), model, tables, device)
    place = f"params.yaml: tasks.{task}.optimizers.{optimizer}"
    step = torch_optimizer(getattr(optimizers, optimizer), twin.parameters, place)
    record = Record(planned.snapshot_steps, twin.state, twin.evaluate)
    for loss in twin.steps(step, record.batches(planned.epochs)):
        record.loss = loss
    record.write(files, "torch")


if __name__ == "__main__":
    run(main)
