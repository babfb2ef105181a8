"""Thousands of trainings of a task: `python -m stages.sweep <task>`.

Every point of every optimizer in the task's `sweep`, from each of its seeds, trains on the graph in
NumPy, many runs at once; some are repeated in torch. A block of runs that is finished is kept, so
that a sweep that was stopped goes on where it was.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from stages.files.files import Files, read_table, write_metrics
from stages.params.command import run
from stages.proofs.difference import relative_difference
from stages.reference.process import start
from stages.schema.parameters import Task
from stages.sweeps.blocks import Block, blocks, train
from stages.sweeps.results import Runs, gather, summary, write_curves, write_runs
from stages.sweeps.store import Store
from stages.sweeps.where import finished

Values = NDArray[Any]


def main(name: str, task: Task) -> None:
    """Writes the table of all runs, the metrics of each optimizer, and its curves."""
    files, first = Files(name), task.training.seed
    seeds = range(first, first + task.sweep.seeds)
    planned = list(blocks(task.sweep.swept, seeds, first))
    results = train_all(planned, name, task)
    gathered = gather(planned, results, len(seeds))
    write_runs(files.sweep, gathered, seeds)
    write_curves(files.curves, gathered)
    metrics = {runs.optimizer: summary(runs) for runs in gathered}
    write_metrics(files.sweep_metrics, metrics | {"drift": drift(name, task, gathered, seeds)})


def train_all(planned: Sequence[Block], name: str, task: Task) -> dict[int, Mapping[str, Values]]:
    """The results of each block by its number; those that are kept from before, and new ones."""
    files = Files(name)
    tables = read_table(files.train), read_table(files.test)
    store = Store(files.blocks, task, [files.train, files.test])
    kept = {number: store.read(block) for number, block in enumerate(planned)}
    results = {number: result for number, result in kept.items() if result is not None}
    missing = [number for number in kept if number not in results]
    # The rest of the task would only be sent along.
    trained = task.model_copy(update={"optimizers": None, "sweep": None})
    work = partial(train, name=name, task=trained, tables=tables)
    new = finished(work, [planned[number] for number in missing])
    progress = tqdm(
        total=sum(len(block.rows) for block in planned),
        initial=sum(len(planned[number].rows) for number in results),
        unit=" trainings",
        disable=not sys.stderr.isatty(),
    )
    with progress, closing(new):
        for place, result in new:
            number = missing[place]
            store.write(planned[number], result)
            results[number] = result
            progress.update(len(planned[number].rows))
    store.keep_only(planned)
    return results


def drift(
    name: str, task: Task, gathered: Sequence[Runs], seeds: Sequence[int]
) -> dict[str, float | None]:
    """How far the losses of some runs are from those of the same runs in torch, at most.

    Runs that did not diverge, drawn from all optimizers; None if one diverges in torch.
    """
    random = np.random.default_rng(task.training.seed)
    alive = [np.flatnonzero(runs.results["diverged"] == 0) for runs in gathered]
    owners = np.repeat(np.arange(len(gathered)), [len(rows) for rows in alive])
    rows = np.concatenate(alive)
    chosen = [
        (gathered[owners[number]], *divmod(int(rows[number]), len(seeds)))
        for number in sorted(random.permutation(len(rows))[: task.sweep.repeated])
    ]
    if not chosen:
        return {"runs": 0}
    settings = [
        [runs.optimizer, {axis: values[point] for axis, values in runs.points.items()}, seeds[seed]]
        for runs, point, seed in chosen
    ]
    ours = {
        column: np.array([runs.results[column][point, seed] for runs, point, seed in chosen])
        for column in ("train_loss", "test_loss")
    }
    with start(
        "stages.sweeps.repeated_torch", "native", {"task": name, "runs": settings}, {}
    ) as torch:
        theirs = torch.result()
    apart = {column: relative_difference(ours[column], theirs[column]) for column in ours}
    return {"runs": len(chosen)} | {
        column: value if math.isfinite(value) else None for column, value in apart.items()
    }


if __name__ == "__main__":
    run(main)
