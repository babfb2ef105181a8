"""The torch twin: trains a task's model with torch.nn, autograd and torch.optim."""

import torch

from stages.files.files import Files, Table, read_table
from stages.models.mlp_torch import LOSSES, network
from stages.params.command import run
from stages.params.errors import InputError
from stages.reference.eager import import_compiler_on_demand
from stages.schema.parameters import Task
from stages.training.optimizer_torch import torch_optimizer
from stages.training.plan import plan
from stages.training.record import Record, State


def main(name: str, task: Task) -> None:
    """Trains, and writes the model, its snapshots and its history."""
    if task.device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"params.yaml: tasks.{name}.device: must be cpu, since torch finds no GPU here; "
            f"got cuda"
        )
    import_compiler_on_demand()
    files = Files(name)
    train, test = read_table(files.train), read_table(files.test)
    planned = plan(name, task, train)
    model = network(planned.sizes, task.model.activation, task.model.dtype).to(task.device)
    model.load_state_dict(
        {key: torch.from_numpy(values) for key, values in planned.initial_parameters.items()}
    )
    criterion = LOSSES[task.model.loss]
    optimizer = torch_optimizer(
        task.hyperparameters,
        list(model.parameters()),
        f"params.yaml: tasks.{name}.optimizers.{task.optimizer}",
    )
    x, target = _tensors(train, task)
    tables = {"train": (x, target), "test": _tensors(test, task)}

    @torch.no_grad()
    def evaluate() -> dict[str, float]:
        outputs = {part: model(features) for part, (features, _) in tables.items()}
        losses = {
            f"{part}_loss": criterion(outputs[part], wanted).item()
            for part, (_, wanted) in tables.items()
        }
        if train.classes is None:
            return losses
        return losses | {
            f"{part}_accuracy": (outputs[part].argmax(1) == wanted).double().mean().item()
            for part, (_, wanted) in tables.items()
        }

    def state() -> State:
        return {key: values.cpu().numpy() for key, values in model.state_dict().items()}

    record = Record(planned.snapshot_steps, state, evaluate)
    for batch in record.batches(planned.epochs):

        def closure(x: torch.Tensor = x[batch], target: torch.Tensor = target[batch]) -> float:
            loss = criterion(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            return loss.item()

        record.loss = optimizer.step(closure)
    record.write(files, "torch")


def _tensors(table: Table, task: Task) -> tuple[torch.Tensor, torch.Tensor]:
    dtype = getattr(torch, task.model.dtype)
    x = torch.from_numpy(table.features).to(task.device, dtype)
    target = torch.from_numpy(table.target).to(task.device)
    return x, target if table.classes is not None else target[:, None].to(dtype)


if __name__ == "__main__":
    run(main)
