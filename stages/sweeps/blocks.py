"""A block of runs: one optimizer and one seed, with hyperparameters that differ from run to run.

All runs of a block start from the same parameters and take the same batches, so they read the same
samples, and one pass over the graph serves all of them. Each computes, to the last bit, what it
computes alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.files.files import Table
from stages.graph import Tiles
from stages.models.mlp import network
from stages.params.errors import InputError
from stages.schema.parameters import Task
from stages.sweeps.grammar import Swept, with_parts
from stages.training.hyperparameters import Hyperparameters
from stages.training.optimizer import construct, find_class
from stages.training.plan import plan

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
            for start in range(0, len(members), RUNS):
                part = members[start : start + RUNS]
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


def train(block: Block, name: str, task: Task, tables: tuple[Table, Table]) -> dict[str, Values]:
    """What becomes of each run of a block, (runs,) by column.

    name, task: of which the model and the training count
    tables: the train and the test samples of the task

    steps: taken until the end, or until the loss of a batch, or of the training part after an
        epoch, was no finite number
    diverged: 1 where that has happened, 0 elsewhere
    train_loss, test_loss, train_accuracy, test_accuracy: at the end, NaN of a run that diverged
    best_...: of all moments between two epochs, until a run diverged

    Raises InputError if there is no such optimizer, if it cannot train many runs at once, or if it
    refuses its hyperparameters.
    """
    place = f"params.yaml: tasks.{name}.sweep.optimizers.{block.optimizer}"
    optimizer = _optimizer(block, place)
    training = task.training.model_copy(update={"seed": block.seed})
    planned = plan(name, task.model_copy(update={"training": training}), tables[0])
    model = task.model
    net = network(planned.sizes, model.activation, model.loss, model.dtype, len(block.rows))
    for key, values in net.graph.views(net.graph.parameters).items():
        values[:] = planned.initial_parameters[key]
    inputs = {
        part: _inputs(table, net.graph.dtype)
        for part, table in zip(("train", "test"), tables, strict=True)
    }
    whole = {part: Tiles(net.graph, *net.means.values(), shared_inputs=True) for part in inputs}
    for part, tiles in whole.items():
        tiles.feed(**inputs[part])
    step = Tiles(net.graph, net.loss, differentiate=True, shared_inputs=True)

    def evaluate() -> dict[str, Values]:
        means = {part: tiles.forward() for part, tiles in whole.items()}
        return {
            f"{part}_{name}": means[part][position]
            for position, name in enumerate(net.means)
            for part in whole
        }

    with np.errstate(all="ignore"):  # a run that diverges is a result, not a warning
        last = evaluate()
        alive, steps = np.ones(len(block.rows), bool), np.zeros(len(block.rows), np.int64)
        best, fed = _better({}, last, np.isfinite(last["train_loss"])), None
        for batches in planned.epochs:
            for batch in batches:
                if batch is not fed:
                    step.feed(**{key: values[:, batch] for key, values in inputs["train"].items()})
                    fed = batch
                loss = step.gradients()
                optimizer(net.graph.parameters, net.graph.gradients)
                steps += alive
                alive = alive & np.isfinite(loss)
                if not alive.any():
                    break
            last = evaluate()
            alive = alive & np.isfinite(last["train_loss"])
            best = _better(best, last, alive)
            if not alive.any():
                break
    final = {column: np.where(alive, values, np.nan) for column, values in last.items()}
    return {"steps": steps, "diverged": (~alive).astype(np.int64)} | final | best


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


def _optimizer(block: Block, place: str) -> Any:
    name = block.fixed.get("class", f"stages.optim.{block.kind.__name__}")
    kind = find_class(name, optim, place)
    if getattr(kind, "each_array", False) or "closure" in signature(kind.__call__).parameters:
        raise InputError(f"{place}: {kind.__name__} cannot be swept: it trains one run at a time")
    optimizer = construct(kind, block.arrays(), place)
    if not callable(optimizer):
        raise InputError(
            f"{place}: {name} is no optimizer: it lacks the method "
            "__call__(self, parameters, gradients)"
        )
    return optimizer


def _inputs(table: Table, dtype: Any) -> dict[str, Values]:
    target = table.target if table.classes is not None else table.target[:, None]
    return {"x": table.features[None].astype(dtype), "target": target[None]}
