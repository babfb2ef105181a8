"""Trainings in torch that keep the parameters of every step, for a process of their own."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn, optim

from stages.models.mlp_torch import LOSSES, network
from stages.reference import numpy_kernels as leaves
from stages.reference.eager import import_compiler_on_demand
from stages.reference.process import answer

Array = NDArray[Any]


@np.errstate(all="ignore")  # a training that diverges shows in its parameters
def work(settings: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """For each optimizer (steps, n): the parameters after each step, in one row.

    settings: sizes, activation, dtype and loss of the network; optimizers, by the name of a class
        its hyperparameters; steps; leaves, whether to compute with NumPy's kernels and the square
        root of IEEE 754, or as torch does
    arrays: x and target, the samples of every step; by their names the initial parameters
    """
    import_compiler_on_demand()
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    x, target = tensors.pop("x"), tensors.pop("target")

    def loss(model: nn.Sequential) -> Tensor:
        if settings["leaves"]:
            return leaves.LOSSES[settings["loss"]](leaves.forward(model, x), target)
        return LOSSES[settings["loss"]](model(x), target)

    def steps(name: str, hyperparameters: Mapping[str, Any]) -> Iterator[Array]:
        model = network(settings["sizes"], settings["activation"], settings["dtype"])
        model.load_state_dict(tensors)
        parameters = list(model.parameters())
        optimizer = getattr(optim, name)(parameters, foreach=False, **hyperparameters)
        arithmetic = ieee() if settings["leaves"] else nullcontext()
        for _ in range(settings["steps"]):
            optimizer.zero_grad()
            loss(model).backward()
            with arithmetic:
                optimizer.step()
            yield np.concatenate([p.detach().numpy().reshape(-1) for p in parameters])

    return {
        name: np.array(list(steps(name, hyperparameters)))
        for name, hyperparameters in settings["optimizers"].items()
    }


def ieee() -> AbstractContextManager[None]:
    """The square root of IEEE 754, whose import also takes the native kernels from the process."""
    from stages.reference.ieee import IEEESquareRoot

    return IEEESquareRoot()


if __name__ == "__main__":
    answer(work)
