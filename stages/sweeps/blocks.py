"""A block of runs: one optimizer and one seed, with hyperparameters that differ from run to run.

All runs of a block start from the same parameters and take the same batches, so they read the same
samples, and one pass over the graph serves all of them. Each computes, to the last bit, what it
computes alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.task.errors import InputError
from stages.task.grammar import Swept, with_parts
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters, scope_of
from stages.task.table import Table
from stages.task.training import Training
from stages.training.optimizer import RunsStep, construct, optimizer_class
from stages.training.plan import Batch, plan
from stages.training.start import start
from stages.training.twin import Twin

Values = NDArray[Any]

MEASURES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
COLUMNS = ("steps", "diverged", *MEASURES, *(f"best_{measure}" for measure in MEASURES))
RUNS = 32  # in a block at most: more would share a pass, but leave the cache


@dataclass(frozen=True)
class Block:
    """A part of a sweep.

    fixed: the hyperparameters that all runs share, by name
    rows: (runs,), in the sweep's table
    points: the values of each axis, (runs,)
    """

    optimizer: str
    kind: type[Hyperparameters]
    fixed: Mapping[str, Any]
    seed: int
    rows: NDArray[np.int64]
    points: Mapping[str, Values]

    def arrays(self) -> dict[str, Any]:
        """Hyperparameters by name: numbers, (runs,) float64, and what all runs share as it is."""
        point = {
            name: values if values.dtype.kind == "f" else values[0]
            for name, values in self.points.items()
        }
        fixed = {n: v for n, v in self.fixed.items() if n not in ("class", "reference")}
        return with_parts(fixed, point)


def blocks(optimizers: Mapping[str, Swept], seeds: range, first_seed: int) -> Iterator[Block]:
    """The blocks of a sweep; a run's row counts optimizers, then points, then seeds."""
    row = 0
    for name, swept in optimizers.items():
        points = swept.points(np.random.default_rng(first_seed))
        count = len(next(iter(points.values())))
        rows = row + np.arange(count * len(seeds)).reshape(count, len(seeds))
        row += rows.size
        for members in _alike(points, count):
            for first in range(0, len(members), RUNS):
                part = members[first : first + RUNS]
                chosen = {axis: values[part] for axis, values in points.items()}
                for number, seed in enumerate(seeds):
                    yield Block(name, swept.kind, swept.fixed, seed, rows[part, number], chosen)


def _alike(points: Mapping[str, Values], count: int) -> list[NDArray[np.int64]]:
    """The points that differ in numbers alone."""
    others = [values for values in points.values() if values.dtype.kind != "f"]
    kinds: dict[str, list[int]] = {}
    for point in range(count):
        kinds.setdefault(str([values[point] for values in others]), []).append(point)
    return [np.array(members) for members in kinds.values()]


@np.errstate(all="ignore")  # a run that diverges is a result, not a warning
def train(
    block: Block, task: str, model: Model, training: Training, tables: Mapping[str, Table]
) -> dict[str, Values]:
    """What becomes of each run of a block, (runs,) by column.

    tables: the samples of the task, "train" and, if any tests, "test"

    steps: taken until the end, or until the loss of a batch, or of the training part after an
        epoch, was no finite number
    diverged: 1 where that has happened, 0 elsewhere
    train_loss, test_loss, train_accuracy, test_accuracy: at the end, NaN of a run that diverged
    best_...: of all moments between two epochs, until a run diverged

    Raises InputError if there is no such optimizer, if it cannot train many runs at once, or if it
    refuses its hyperparameters.
    """
    optimizer = _optimizer(block, f"params.yaml: sweeps.{task}.optimizers.{block.optimizer}")
    seeded = training.model_copy(update={"seed": block.seed})
    planned = plan(task, seeded, tables["train"])
    twin = Twin(start(model, block.seed, tables["train"]), model, tables, len(block.rows))
    outcome = _Outcome(twin.evaluate())
    for loss in twin.steps(optimizer, outcome.batches(planned.epochs, twin.evaluate)):
        outcome.loss = loss
    return outcome.columns()


class _Outcome:
    """What becomes of the runs of a block, (runs,) by column: see `train`."""

    def __init__(self, start: Mapping[str, Values]) -> None:
        self._last, self._alive = start, np.isfinite(start["train_loss"])
        self._best = _better({}, start, self._alive)
        self._alive = np.ones_like(self._alive)
        self._steps = np.zeros(len(self._alive), np.int64)
        self.loss = start["train_loss"]

    def batches(
        self, epochs: Iterable[Sequence[Batch]], evaluate: Callable[[], Mapping[str, Values]]
    ) -> Iterator[Batch]:
        """Hands out the batches one by one, and looks at the runs after each and each epoch.

        Whoever trains leaves the losses of the batch in `loss`.
        """
        for batches in epochs:
            for batch in batches:
                yield batch
                self._steps += self._alive
                self._alive = self._alive & np.isfinite(self.loss)
                if not self._alive.any():
                    break
            self._last = evaluate()
            self._alive = self._alive & np.isfinite(self._last["train_loss"])
            self._best = _better(self._best, self._last, self._alive)
            if not self._alive.any():
                break

    def columns(self) -> dict[str, Values]:
        final = {name: np.where(self._alive, v, np.nan) for name, v in self._last.items()}
        diverged = (~self._alive).astype(np.int64)
        return {"steps": self._steps, "diverged": diverged} | final | self._best


def _better(
    best: Mapping[str, Values], now: Mapping[str, Values], alive: NDArray[np.bool_]
) -> dict[str, Values]:
    """The smallest losses and the largest accuracies of each run, while it is alive."""
    result = {}
    for column, values in now.items():
        known = np.where(alive, values, np.nan)
        before = best.get(f"best_{column}", known)
        choose = np.fmax if column.endswith("accuracy") else np.fmin
        result[f"best_{column}"] = choose(before, known)
    return result


def _optimizer(block: Block, place: str) -> RunsStep:
    name = block.fixed.get("class", f"stages.optim.{block.kind.__name__}")
    kind = optimizer_class(name, optim, place)
    if scope_of(kind) != "element":
        raise InputError(f"{place}: {kind.__name__} cannot be swept: it trains one run at a time")
    optimizer = construct(kind, block.arrays(), place)
    return lambda parameters, gradients, _: optimizer(parameters, gradients)
