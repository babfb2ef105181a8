"""Thousands of trainings of a task: `python -m stages.sweep <task>`.

Every point of every optimizer in the task's `sweep`, from each of its seeds, trains on the graph in
NumPy, many runs at once; some are repeated in torch. A block of runs that is finished is kept, so
that a sweep that was stopped goes on where it was.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from numpy.typing import NDArray
from tqdm import tqdm

from stages.sweeps.blocks import Block, blocks, train
from stages.sweeps.repeated import chosen_runs, drift
from stages.sweeps.results import constant_loss, curves, gather, summary, write_runs
from stages.sweeps.store import Store
from stages.sweeps.where import finished
from stages.task.command import run
from stages.task.curves import write_curves
from stages.task.files import Files, write_metrics
from stages.task.grammar import Sweep, completed
from stages.task.model import Model
from stages.task.table import read_parts, read_table
from stages.task.training import Training

Values = NDArray[Any]


def main(
    task: str,
    model: Model,
    training: Training,
    sweeps: dict[str, Any],
    learning_rates: dict[str, Any],
) -> None:
    """Writes the table of all runs, the metrics of each optimizer, and its curves."""
    files, first = Files(task), training.seed
    sweep = Sweep.model_validate(completed(sweeps[task], learning_rates))
    seeds = range(first, first + sweep.seeds)
    planned = list(blocks(sweep.swept, seeds, first))
    results = train_all(planned, task, model, training)
    gathered = gather(planned, results, len(seeds))
    write_runs(files.sweep, gathered, seeds)
    write_curves(files.curves, *curves(gathered))
    constant = constant_loss(read_table(files.train), model)
    metrics = {runs.optimizer: summary(runs, constant) for runs in gathered}
    given = {"task": task, "model": model.model_dump(), "training": training.model_dump()}
    given["sweep"] = sweep.model_dump()
    chosen = chosen_runs(gathered, sweep.repeated, first)
    write_metrics(files.sweep_metrics, metrics | {"drift": drift(chosen, seeds, given)})


def train_all(
    planned: Sequence[Block], task: str, model: Model, training: Training
) -> dict[int, Mapping[str, Values]]:
    """The results of each block by its number; those that are kept from before, and new ones."""
    files = Files(task)
    tables = read_parts(files)
    store = Store(files.blocks, model, training, [files.train, files.test])
    kept = {number: store.read(block) for number, block in enumerate(planned)}
    results = {number: result for number, result in kept.items() if result is not None}
    missing = [number for number in kept if number not in results]
    work = partial(train, task=task, model=model, training=training, tables=tables)
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


if __name__ == "__main__":
    run(main)
