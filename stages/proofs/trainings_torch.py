"""Trainings in torch that keep the parameters of every step, for a process of their own.

Those by hand are in training.py.
"""

from collections.abc import Mapping
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.reference import numpy_kernels
from stages.reference.graph_kernels import GraphKernels, evaluated, laid_out
from stages.reference.process import answer
from stages.task.checks import TrainedOptimizers
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.model import Model, torch_twin
from stages.task.table import read_table
from stages.training.plan import ALL
from stages.training.start import start
from stages.training.twin_torch import Twin

Array = NDArray[Any]


class TwinWithNumPyKernels(Twin):
    """A twin in torch's graph whose kernels compute as those of the twin in NumPy."""

    def __init__(self, layout: Mapping[str, int], *given: Any) -> None:
        super().__init__(*given)
        self._layout = layout

    def loss(self, x: Tensor, target: Tensor) -> Tensor:
        """The loss by kernels of plain NumPy where there are all, by those of the graph elsewhere.

        Raises InputError if the model calls what has neither.
        """
        criterion = numpy_kernels.LOSSES.get(self.model.loss)
        if criterion and numpy_kernels.has_all_of(self.network) and not self.model.loss_options:
            return criterion(numpy_kernels.forward(self.network, x, **self._layout), target)
        try:
            with GraphKernels():
                output = self.network(laid_out(x))
        except TypeError as error:
            source = torch_twin(self.model.source)
            raise InputError(f"params.yaml: checks.training.task: {source}: {error}") from None
        loss, options = self.model.loss_function(), self.model.loss_arguments()
        return evaluated(loss, output, laid_out(target), **options)


@np.errstate(all="ignore")  # a training that diverges shows in its parameters
def trainings(settings: Mapping[str, Any], _: Mapping[str, Array]) -> dict[str, Array]:
    """(steps, n) for each optimizer: the parameters after each step, in one row.

    settings: task, model, seed, optimizers and steps as `trainings` in training.py takes them;
        layout, the arguments of `numpy_kernels.forward`, to compute with NumPy's kernels and the
        square root of IEEE 754, or None to compute as torch does
    """
    model = Model.model_validate(settings["model"])
    train, found = read_table(Files(settings["task"]).train), {}
    layout = settings["layout"]
    if layout:
        from stages.reference import ieee as ieee  # takes the native kernels from the process
    kind = partial(TwinWithNumPyKernels, layout) if layout else Twin
    optimizers = TrainedOptimizers.model_validate(settings["optimizers"])
    for name, hyperparameters in optimizers.by_class().items():
        twin = kind(start(model, settings["seed"], train), model, {"train": train})
        place = f"params.yaml: checks.training.optimizers.{name}"
        step = twin.optimizer(hyperparameters, place)
        taken = twin.steps(step, repeat(ALL, settings["steps"]))
        found[name] = np.array([_row(twin.parameters) for _ in taken])
    return found


def _row(parameters: list[Tensor]) -> Array:
    return torch.cat([parameter.detach().reshape(-1) for parameter in parameters]).numpy()


if __name__ == "__main__":
    answer(trainings)
