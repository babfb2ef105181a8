"""Both twins' trainings of a table, one of them wrong on purpose, and the cloud around ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.proofs.difference import radii, relative_drift
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table
from stages.task.training import Training
from stages.training import twin, twin_torch
from stages.training.cloud import cloud
from stages.training.plan import Batch, plan
from stages.training.start import start

Path = dict[int, dict[str, NDArray[Any]]]  # the parameters by step and by name

# What the torch twin does wrong: each element of the gradient is off by up to a relative error,
# anew at each step; one array's is too large by that factor; the samples come in another order;
# the weight decay leaves out the last array.
MISTAKES = ("gradient", "factor", "order", "decay")


@dataclass(frozen=True)
class Case:
    """A training of a table.

    error: how far a wrong gradient is off, relative to it
    """

    table: Table
    model: Model
    training: Training
    optimizer: Hyperparameters
    error: float = 1e-9

    def mistakes(self) -> list[str]:
        """Those that can be made in this training."""
        impossible = {"order"} if self.training.batch_size == "full" else set()
        if not self.optimizer.values().get("weight_decay"):
            impossible.add("decay")
        return [mistake for mistake in MISTAKES if mistake not in impossible]


@np.errstate(all="ignore")  # some diverge
def by_hand(case: Case) -> tuple[Path, NDArray[np.float64]]:
    """The path of the twin in NumPy, and its cloud."""
    planned = plan("", case.training, case.table)
    begin = start(case.model, case.training.seed, case.table)
    ours = twin.Twin(begin, case.model, {"train": case.table})
    path = {0: copied(ours.state())}
    steps = ours.steps(ours.optimizer(case.optimizer, ""), chain.from_iterable(planned.epochs))
    for step, _ in enumerate(steps, start=1):
        if step in planned.snapshot_steps:
            path[step] = copied(ours.state())

    def again() -> Iterator[list[Batch]]:
        return plan("", case.training, case.table).epochs

    chosen, seed = (case.optimizer, ""), case.training.seed
    return path, cloud(begin, case.model, case.table, chosen, again, path, seed)


def in_torch(case: Case, mistake: str = "") -> Path:
    """The path of the twin in PyTorch, which makes the mistake."""
    training = case.training
    if mistake == "order":
        training = training.model_copy(update={"seed": training.seed + 1})
    planned = plan("", training, case.table)
    begin = start(case.model, case.training.seed, case.table)
    theirs = twin_torch.Twin(begin, case.model, {"train": case.table})
    optimizer = theirs.optimizer(case.optimizer, "")
    if mistake in ("gradient", "factor"):
        spoil_gradients(theirs.parameters, mistake, case.error)
    if mistake == "decay":
        group = optimizer.param_groups[0]
        rest = {name: value for name, value in group.items() if name != "params"}
        group["params"] = theirs.parameters[:-1]
        optimizer.add_param_group(rest | {"params": theirs.parameters[-1:], "weight_decay": 0.0})
    path = {0: copied(theirs.state())}
    steps = theirs.steps(optimizer, chain.from_iterable(planned.epochs))
    for step, _ in enumerate(steps, start=1):
        if step in planned.snapshot_steps:
            path[step] = copied(theirs.state())
    return path


def spoil_gradients(parameters: list[Tensor], mistake: str, error: float) -> None:
    random = torch.Generator().manual_seed(1)

    def anew(gradient: Tensor) -> Tensor:
        share = 2 * torch.rand(gradient.shape, generator=random, dtype=gradient.dtype) - 1
        return gradient * (1 + error * share)

    for parameter in parameters[: None if mistake == "gradient" else 1]:
        parameter.register_hook(anew if mistake == "gradient" else lambda g: g * (1 + error))


def apart(ours: Path, theirs: Path, around: NDArray[np.float64]) -> float:
    """How far apart the paths are at most, in radii of the cloud around the first."""
    rows = [np.array([in_a_row(state) for state in path.values()]) for path in (ours, theirs)]
    return radii(relative_drift(*rows), around)


def in_a_row(state: dict[str, NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([state[name].ravel() for name in sorted(state)])


def copied(state: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: values.copy() for name, values in state.items()}
