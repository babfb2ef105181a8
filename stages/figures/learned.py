"""What there is to draw of a task: its samples, and how each twin learned them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.models.mlp import predict
from stages.task.files import LOSSES, TWINS, Files, History, read_history, read_tensors
from stages.task.table import Table, read_table

Array = NDArray[Any]


@dataclass(frozen=True)
class Learned:
    """How one twin learned.

    history: losses (and accuracies) by epoch, the first row before training
    steps: (snapshots,) int64, the step at which each snapshot was taken
    snapshots: the parameters by name, each with a leading snapshots axis
    """

    history: History
    steps: NDArray[np.int64]
    snapshots: dict[str, Array]
    activation: str

    @property
    def diverged(self) -> int | None:
        """The step at which the training diverged, None if it did not."""
        last = [values[-1] for name, values in self.history.items() if name.endswith("_loss")]
        return int(self.history["step"][-1]) if any(map(math.isnan, last)) else None

    def outputs(
        self, features: Array, moments: Sequence[int], dtype: type[np.floating] = np.float64
    ) -> Array:
        """(moments, samples, outputs) of the network with the parameters of some snapshots.

        dtype: in which to compute; float32 is four times as fast, and enough to colour a plane
        A moment after the last snapshot, and one at which an output is not finite, is all NaN.
        """
        last = len(self.steps) - 1
        some = np.minimum(moments, last)
        with np.errstate(all="ignore"):  # the parameters of a diverged training overflow
            chosen = {name: array[some].astype(dtype) for name, array in self.snapshots.items()}
            outputs = predict(chosen, self.activation, features.astype(dtype))
        finite = np.isfinite(outputs).all(axis=(1, 2)) & (np.asarray(moments) <= last)
        return np.where(finite[:, None, None], outputs, np.nan)


@dataclass(frozen=True)
class Results:
    """The samples of a task and its twins."""

    train: Table
    test: Table
    twins: dict[str, Learned]

    @property
    def sizes(self) -> list[int]:
        """The widths of the network: features, hidden layers, outputs."""
        snapshots = self.twins["numpy"].snapshots
        widths = [snapshots[f"{2 * layer}.bias"].shape[1] for layer in range(len(snapshots) // 2)]
        return [self.train.features.shape[1], *widths]

    @property
    def steps(self) -> NDArray[np.int64]:
        """(moments,) the steps of the snapshots, of the twin that has more of them."""
        return max((twin.steps for twin in self.twins.values()), key=len)

    @property
    def diverged(self) -> str:
        """One line for each twin that diverged, empty where none did."""
        at = {name: twin.diverged for name, twin in self.twins.items()}
        if at["numpy"] == at["torch"]:
            return "" if at["numpy"] is None else f"diverged at step {at['numpy']}"
        return "\n".join(
            f"{name} diverged at step {step}" for name, step in at.items() if step is not None
        )


def read_results(task: str, activation: str) -> Results:
    """Reads the results of a task from its files."""
    files = Files(task)
    twins = {}
    for twin in TWINS:
        snapshots = read_tensors(files.snapshots[twin], "step", "0.weight")
        steps = np.asarray(snapshots.pop("step"), np.int64)
        history = read_history(files.history[twin], *LOSSES)
        twins[twin] = Learned(history, steps, snapshots, activation)
    return Results(read_table(files.train), read_table(files.test), twins)


def thinned(table: Table, most: int) -> Table:
    """At most `most` samples, evenly picked: more would be a blot and not a picture."""
    if len(table.target) <= most:
        return table
    return table.rows(np.linspace(0, len(table.target) - 1, most).astype(np.int64))
