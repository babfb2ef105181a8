"""The optimizers of torch, and of whoever wrote one for it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, optim

from stages.reference import square_root as square_root
from stages.reference.eager import import_compiler_on_demand
from stages.task.errors import InputError
from stages.task.optimizers import Hyperparameters
from stages.training.optimizer import Step, construct, find_class, model_optimizer


def torch_optimizer(
    hyperparameters: Hyperparameters, parameters: Sequence[Tensor], place: str
) -> optim.Optimizer:
    """The optimizer of the parameters in torch; by hand where it has no reference there.

    place: where params.yaml names the optimizer, for messages
    Raises InputError if there is no such class, if it is no optimizer, or if it refuses the
    hyperparameters.
    """
    import_compiler_on_demand()
    if hyperparameters.by_torch is None:
        shapes = [tuple(parameter.shape) for parameter in parameters]
        return _ByHand(parameters, model_optimizer(hyperparameters, optim, shapes, place))
    kind = find_class(hyperparameters.by_torch, optim, place)
    if not issubclass(kind, optim.Optimizer):
        raise InputError(
            f"{place}: {hyperparameters.by_torch} is not an optimizer of torch: reference must be "
            "a subclass of torch.optim.Optimizer, or null"
        )
    optimizer: optim.Optimizer = construct(kind, hyperparameters.values(), place, parameters)
    # What torch does for a list of parameters, its default on a GPU, is not what it does for each:
    # ASGD's learning rate, for one, has single precision there.
    optimizer.param_groups[0]["foreach"] = False
    if kind is optim.SparseAdam:
        optimizer.register_step_pre_hook(_only_rows_that_are_not_zero)
    return optimizer


def _only_rows_that_are_not_zero(optimizer: optim.Optimizer, *_: object) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = parameter.grad.to_sparse(1)


class _ByHand(optim.Optimizer):
    """An optimizer in NumPy for parameters in torch."""

    def __init__(self, parameters: Sequence[Tensor], step: Step) -> None:
        super().__init__(parameters, {})
        self._parameters, self._step = parameters, step

    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        """One step from where the closure, which computes the gradients, returns its loss."""
        loss = closure()
        row = _row(self._parameters)
        gradients = self._gradients()

        def again() -> float:
            self._set(row)
            loss = closure()
            np.copyto(gradients, self._gradients())
            return loss

        self._step(row, gradients, again)
        self._set(row)
        return loss

    def _gradients(self) -> NDArray[Any]:
        return _row([p.grad for p in self._parameters if p.grad is not None])

    def _set(self, row: NDArray[Any]) -> None:
        parts = torch.from_numpy(row).split([p.numel() for p in self._parameters])
        with torch.no_grad():
            for parameter, part in zip(self._parameters, parts, strict=True):
                parameter.copy_(part.view_as(parameter))


def _row(tensors: Sequence[Tensor]) -> NDArray[Any]:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).cpu().numpy()
