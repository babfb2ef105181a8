"""What the pictures of a task show: its samples, and how each twin learned them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.models.network import attention, predict
from stages.proofs.difference import relative_difference
from stages.task.files import LOSSES, TWINS, Files, History, read_history, read_tensors
from stages.task.model import Model
from stages.task.table import Table, read_table

Array = NDArray[Any]


@dataclass(frozen=True)
class Learned:
    """How one twin learned.

    history: losses (and accuracies) by epoch, the first row before training
    steps: (snapshots,) int64, the step at which each snapshot was taken
    snapshots: the parameters by name, each with a leading snapshots axis
    predict: the outputs of the model, from parameters and features as `network.predict` has them
    attend: its attention likewise, see `network.attention`
    units: those of the target, see `Table`
    """

    history: History
    steps: NDArray[np.int64]
    snapshots: dict[str, Array]
    predict: Callable[[dict[str, Array], Array], Array]
    units: tuple[float, float] | None = None
    attend: Callable[[dict[str, Array], Array], Array | None] = lambda parameters, features: None

    @property
    def diverged(self) -> int | None:
        """The step at which the training diverged, None if it did not."""
        last = [values[-1] for name, values in self.history.items() if name.endswith("_loss")]
        return int(self.history["step"][-1]) if any(map(math.isnan, last)) else None

    def outputs(
        self, features: Array, moments: Sequence[int], dtype: type[np.floating] = np.float64
    ) -> Array:
        """(moments, samples, outputs) of the network with the parameters of some snapshots.

        With several targets it is (moments, samples, targets, outputs).

        A number that it predicts is in the target's own units.

        dtype: to compute in; float32 is four times as fast, and enough to colour a plane
        All outputs of a moment are NaN if one is not finite, or if there is no such snapshot.
        """
        last = len(self.steps) - 1
        with np.errstate(all="ignore"):  # the parameters of a diverged training overflow
            outputs = self.predict(self._parameters(moments, dtype), features.astype(dtype))
            if self.units is not None:
                mean, scale = self.units
                outputs = outputs * scale + mean
        finite = np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1)
        finite &= np.asarray(moments) <= last
        return np.where(finite.reshape(-1, *[1] * (outputs.ndim - 1)), outputs, np.nan)

    def attention(self, features: Array, moments: Sequence[int]) -> Array | None:
        """(moments, samples, heads, features, features), or None for a model without it.

        In each row are the weights with which the place of a feature reads all places.
        """
        with np.errstate(all="ignore"):
            return self.attend(self._parameters(moments, np.float64), features)

    def _parameters(self, moments: Sequence[int], dtype: type[np.floating]) -> dict[str, Array]:
        some = np.minimum(moments, len(self.steps) - 1)
        return {name: array[some].astype(dtype) for name, array in self.snapshots.items()}


@dataclass(frozen=True)
class Results:
    """The samples of a task and its twins.

    test: without samples where all train
    """

    train: Table
    test: Table
    twins: dict[str, Learned]

    @property
    def judged(self) -> Table:
        """The samples to judge the twins by: those that test, or all where none does."""
        return self.test if len(self.test.target) else self.train

    @property
    def steps(self) -> NDArray[np.int64]:
        """(moments,) the steps of the snapshots, of the twin with more of them."""
        return max((twin.steps for twin in self.twins.values()), key=len)

    @property
    def differences(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(moments,) epochs, and the largest relative difference of a parameter at each."""
        numpy, torch = self.twins["numpy"], self.twins["torch"]
        moments = min(len(numpy.steps), len(torch.steps))
        epochs = np.interp(numpy.steps[:moments], numpy.history["step"], numpy.history["epoch"])
        with np.errstate(all="ignore"):  # the parameters of a diverged training overflow
            apart = [
                max(
                    relative_difference(array[moment], torch.snapshots[name][moment])
                    for name, array in numpy.snapshots.items()
                )
                for moment in range(moments)
            ]
        return epochs, np.array(apart)

    @property
    def diverged(self) -> str:
        """One line for each twin that diverged, empty where none did."""
        at = {name: twin.diverged for name, twin in self.twins.items()}
        if at["numpy"] == at["torch"]:
            return "" if at["numpy"] is None else f"diverged at step {at['numpy']}"
        return "\n".join(
            f"{name} diverged at step {step}" for name, step in at.items() if step is not None
        )


def read_results(task: str, model: Model) -> Results:
    """Reads the results of a task from its files."""
    files = Files(task)
    train, test = read_table(files.train), read_table(files.test)
    predicted = partial(predict, model, train.outputs)
    attended = partial(attention, model, train.outputs)
    twins = {}
    for twin in TWINS:
        snapshots = read_tensors(files.snapshots[twin], "step")
        steps = np.asarray(snapshots.pop("step"), np.int64)
        history = read_history(files.history[twin], *LOSSES)
        twins[twin] = Learned(history, steps, snapshots, predicted, train.units, attended)
    return Results(train.in_own_units(), test.in_own_units(), twins)


def thinned(table: Table, most: int) -> Table:
    """At most `most` samples, evenly spaced: more would only cover one another."""
    if len(table.target) <= most:
        return table
    return table.rows(np.linspace(0, len(table.target) - 1, most).astype(np.int64))
