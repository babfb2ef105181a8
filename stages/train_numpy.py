"""The NumPy twin: trains a task's model on the computation graph, by hand."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stages.task.command import run
from stages.task.files import Files, write_tensors
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import read_parts
from stages.task.training import Training
from stages.training.cloud import cloud
from stages.training.plan import Batch, plan
from stages.training.record import Record
from stages.training.start import start
from stages.training.twin import Twin


@np.errstate(all="ignore")  # a training that diverges is a result, not a warning
def main(
    task: str, model: Model, training: Training, optimizer: str, optimizers: dict[str, Any]
) -> None:
    """Trains, and writes the model, its snapshots, its history, and how far rounding takes it."""
    files = Files(task)
    tables = read_parts(files)
    planned = plan(task, training, tables["train"])
    begin = start(model, training.seed, tables["train"])
    twin = Twin(begin, model, tables)
    chosen = selected(optimizer, optimizers), f"params.yaml: tasks.{task}.optimizers.{optimizer}"
    step = twin.optimizer(*chosen)

    def evaluate() -> dict[str, float]:
        return {name: values.item() for name, values in twin.evaluate().items()}

    record = Record(planned.snapshot_steps, twin.state, evaluate)
    for loss in twin.steps(step, record.batches(planned.epochs)):
        record.loss = loss.item()
    record.write(files, "numpy")

    def again() -> Iterator[list[Batch]]:
        return plan(task, training, tables["train"]).epochs

    apart = cloud(begin, model, tables["train"], chosen, again, record.snapshots, training.seed)
    write_tensors(files.cloud, {"apart": apart})


if __name__ == "__main__":
    run(main)
