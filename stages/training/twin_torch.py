"""The twin in PyTorch: a model of torch.nn, and its steps. NumPy's is twin.py."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, optim

from stages.models.network_torch import load_parameters, loss_of, network
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table
from stages.training.masks_torch import share_masks
from stages.training.optimizer_torch import torch_optimizer
from stages.training.plan import Batch, Start

Array = NDArray[Any]


class Twin:
    """A model at the start of its training.

    tables: the samples by part; "train" is what it learns from
    device: where it trains, "cpu" or "cuda"
    """

    def __init__(
        self, start: Start, model: Model, tables: Mapping[str, Table], device: str = "cpu"
    ) -> None:
        train = tables["train"]
        self.network = network(model, train.features.shape[1], train.outputs).to(device)
        load_parameters(self.network, start.parameters, model)
        self._taken = 0
        share_masks(self.network, start.seed, lambda: self._taken)
        self.model, self._criterion = model, loss_of(model)
        self._dtype, self._device = getattr(torch, model.dtype), device
        self._inputs = {part: self._tensors(table) for part, table in tables.items()}
        self._loss_unit = model.loss_unit(train.units)
        self._classifies = train.classes is not None

    @property
    def parameters(self) -> list[Tensor]:
        return list(self.network.parameters())

    def optimizer(self, hyperparameters: Hyperparameters, place: str) -> optim.Optimizer:
        """The optimizer in torch; place: its keys in params.yaml, for messages.

        Raises InputError if there is no such class, or if it refuses the hyperparameters.
        """
        return torch_optimizer(hyperparameters, self.parameters, place)

    def state(self) -> dict[str, Array]:
        """The parameters and buffers by name."""
        state = self.network.state_dict()
        return {name: values.cpu().numpy() for name, values in state.items()}

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The loss of each part, and its accuracy where the targets are classes.

        A loss is in the target's own units, also where that is standardized.
        """
        self.network.eval()
        outputs = {part: self.network(x) for part, (x, _) in self._inputs.items()}
        self.network.train()
        measures = {
            f"{part}_loss": self._criterion(outputs[part], target).item() * self._loss_unit
            for part, (_, target) in self._inputs.items()
        }
        if self._classifies:
            for part, (_, target) in self._inputs.items():
                right = (outputs[part].argmax(-1) == target).reshape(len(target), -1).all(1)
                measures[f"{part}_accuracy"] = right.double().mean().item()
        return measures

    def steps(self, optimizer: optim.Optimizer, batches: Iterable[Batch]) -> Iterator[float]:
        """A step for each batch of the training samples: its loss before the step."""
        x, target = self._inputs["train"]

        def evaluate(batch: Batch) -> float:
            loss = self.loss(x[batch], target[batch])
            optimizer.zero_grad()
            loss.backward()
            return loss.item()

        for before in steps(evaluate, optimizer, batches):
            self._taken += 1
            yield before

    def loss(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss of some samples."""
        loss: Tensor = self._criterion(self.network(x), target)
        return loss

    def _tensors(self, table: Table) -> tuple[Tensor, Tensor]:
        x = torch.from_numpy(table.features).to(self._device, self._dtype)
        target = torch.from_numpy(table.target_of_models).to(self._device)
        return x, target if table.classes is not None else target.to(self._dtype)


class Stepping(Protocol):
    """What takes steps as an optimizer of torch does."""

    def step(self, closure: Callable[[], float]) -> Any: ...


def steps(
    evaluate: Callable[[Any], float], optimizer: Stepping, batches: Iterable[Any]
) -> Iterator[float]:
    """A step of the optimizer for each batch: the loss before the step.

    evaluate: computes the gradients of a batch, and returns its loss
    """
    for batch in batches:
        yield optimizer.step(lambda batch=batch: evaluate(batch))  # type: ignore[misc]
