"""The NumPy twin: trains a task's model on the computation graph, by hand."""

from typing import Any

import numpy as np

from stages.task.command import run
from stages.task.files import Files
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import read_parts
from stages.task.training import Training
from stages.training.plan import plan, start
from stages.training.record import Record
from stages.training.twin import Twin


@np.errstate(all="ignore")  # a training that diverges is a result, not a warning
def main(
    task: str, model: Model, training: Training, optimizer: str, optimizers: dict[str, Any]
) -> None:
    """Trains, and writes the model, its snapshots and its history."""
    files = Files(task)
    tables = read_parts(files)
    planned = plan(task, training, tables["train"])
    twin = Twin(start(model, training.seed, tables["train"]), model, tables)
    place = f"params.yaml: tasks.{task}.optimizers.{optimizer}"
    step = twin.optimizer(selected(optimizer, optimizers), place)

    def evaluate() -> dict[str, float]:
        return {name: values.item() for name, values in twin.evaluate().items()}

    record = Record(planned.snapshot_steps, twin.state, evaluate)
    for loss in twin.steps(step, record.batches(planned.epochs)):
        record.loss = loss.item()
    record.write(files, "numpy")


if __name__ == "__main__":
    run(main)
