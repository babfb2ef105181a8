"""The NumPy twin: trains a task's network on the computation graph, by hand."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.files.files import Files, Table, read_table
from stages.graph import Tiles
from stages.models.mlp import Network, network
from stages.params.command import run
from stages.schema.parameters import Task
from stages.training.optimizer import model_optimizer
from stages.training.plan import plan
from stages.training.record import Record


def main(name: str, task: Task) -> None:
    """Trains, and writes the model, its snapshots and its history."""
    files = Files(name)
    train, test = read_table(files.train), read_table(files.test)
    planned = plan(name, task, train)
    net = network(planned.sizes, task.model.activation, task.model.loss, task.model.dtype)
    parameters = {key: rows[0] for key, rows in net.graph.views(net.graph.parameters).items()}
    for key, values in planned.initial_parameters.items():
        np.copyto(parameters[key], values)
    optimizer = model_optimizer(
        task.hyperparameters,
        optim,
        [values.shape for values in parameters.values()],
        f"params.yaml: tasks.{name}.optimizers.{task.optimizer}",
    )
    inputs = _inputs(net, train)
    parts = {
        "train": Tiles(net.graph, *net.means.values()),
        "test": Tiles(net.graph, *net.means.values()),
    }
    parts["train"].feed(**inputs)
    parts["test"].feed(**_inputs(net, test))

    def evaluate() -> dict[str, float]:
        means = {part: tiles.forward() for part, tiles in parts.items()}
        return {
            f"{part}_{name}": means[part][position].item()
            for position, name in enumerate(net.means)
            for part in parts
        }

    record = Record(planned.snapshot_steps, lambda: parameters, evaluate)
    step = Tiles(net.graph, net.loss, differentiate=True)

    def closure() -> float:
        return float(step.gradients()[0])

    with np.errstate(all="ignore"):  # a training that diverges is a result, not a warning
        fed = None
        for batch in record.batches(planned.epochs):
            if batch is not fed:
                step.feed(**{key: values[:, batch] for key, values in inputs.items()})
                fed = batch
            record.loss = closure()
            optimizer(net.graph.parameters[0], net.graph.gradients[0], closure)
    record.write(files, "numpy")


def _inputs(net: Network, table: Table) -> dict[str, NDArray[Any]]:
    """The table as inputs of the graph, with a runs axis."""
    target = table.target if table.classes is not None else table.target[:, None]
    return {"x": table.features[None].astype(net.graph.dtype), "target": target[None]}


if __name__ == "__main__":
    run(main)
