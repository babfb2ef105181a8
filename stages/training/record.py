"""What both twins write down while they train: the history, the snapshots, the model."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.files import Files, write_history, write_tensors
from stages.training.plan import Batch

State = Mapping[str, NDArray[Any]]


class Record:
    """The record of one training.

    snapshot_steps: the steps after which the parameters are kept, from 0 to the last one
    state: the parameters of this moment by name
    evaluate: losses, and accuracies, of this moment by column of the history

    `loss` is that of the last batch, and `snapshots` has the states that were kept, by their steps.
    """

    def __init__(
        self,
        snapshot_steps: Sequence[int],
        state: Callable[[], State],
        evaluate: Callable[[], Mapping[str, float]],
    ) -> None:
        self._snapshot_steps, self._state, self._evaluate = snapshot_steps, state, evaluate
        self._step, self._diverged = 0, False
        self.snapshots: dict[int, State] = {}
        self._rows: list[dict[str, float]] = []
        self.loss = math.nan

    def batches(self, epochs: Iterable[Iterable[Batch]]) -> Iterator[Batch]:
        """Hands out the batches one by one, and looks at the training after each.

        Whoever trains leaves the loss of the batch in `loss`. One that is not finite, of a batch
        or of the whole training part, ends the training.
        """
        self._keep_snapshot()
        self._evaluate_epoch(0)
        with progress_bar(self._snapshot_steps[-1]) as progress:
            for epoch, batches in enumerate(epochs, start=1):
                for batch in batches:
                    yield batch
                    self._step += 1
                    self._diverged = not math.isfinite(self.loss)
                    self._keep_snapshot()
                    progress.update()
                    if self._diverged:
                        break
                self._evaluate_epoch(epoch)
                if self._diverged:
                    break

    def write(self, files: Files, twin: str) -> None:
        """Writes the model, the snapshots and the history of the twin."""
        write_tensors(files.model[twin], self._state())
        kept = list(self.snapshots.values())
        snapshots = {name: np.stack([state[name] for state in kept]) for name in kept[0]}
        write_tensors(files.snapshots[twin], snapshots | {"step": np.array(list(self.snapshots))})
        columns = {name: [row[name] for row in self._rows] for name in self._rows[0]}
        write_history(files.history[twin], columns)

    def _keep_snapshot(self) -> None:
        if self._step in self._snapshot_steps:
            state = self._state()
            self.snapshots[self._step] = {name: values.copy() for name, values in state.items()}

    def _evaluate_epoch(self, epoch: int) -> None:
        """Adds a row to the history, without values once the training has diverged."""
        values = dict(self._evaluate())
        self._diverged = self._diverged or not math.isfinite(values["train_loss"])
        if self._diverged:
            values = dict.fromkeys(values, math.nan)
        self._rows.append({"epoch": epoch, "step": self._step, **values})


def progress_bar(steps: int) -> Any:
    """A bar for a training that takes longer than a second, on a terminal and nowhere else."""
    from tqdm import tqdm

    return tqdm(total=steps, unit="step", delay=1, leave=False, disable=not sys.stderr.isatty())
