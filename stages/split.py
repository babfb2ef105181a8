"""Splits the samples of a task into a train and a test table: `python -m stages.split <task>`."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stages.task.command import run
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.parts import Split
from stages.task.table import Table, read_table, write_table


def main(task: str, split: Split) -> None:
    """Writes the train and the test table of a task."""
    files = Files(task)
    table = read_table(files.raw)
    try:
        testing = choose(table, split)
    except InputError as error:
        raise InputError(f"params.yaml: tasks.{task}.split.test: {error}") from None
    train, test = table.rows(np.flatnonzero(~testing)), table.rows(np.flatnonzero(testing))
    if split.standardize:
        train, test = standardize(train, test)
    write_table(files.train, train)
    write_table(files.test, test)


def choose(table: Table, split: Split) -> NDArray[np.bool_]:
    """Chooses at random the samples to test on, from every class in proportion to its size.

    Returns (samples,): whether a sample is one of them.
    Raises InputError where a part would lack a class, or be empty.
    """
    samples = len(table.target)
    groups = np.zeros(samples, np.int64) if table.classes is None else table.target
    sizes = np.bincount(groups.astype(np.int64))
    test = split.test if isinstance(split.test, int) else round(split.test * samples)
    least, most = len(sizes), samples - len(sizes)
    if not least <= test <= most:
        raise InputError(
            f"must be from {least} to {most} of the {samples} samples, got {test}"
            + ("" if test == split.test else f", which is {split.test:g} of them")
            + ("" if table.classes is None else "; each class needs one in either part")
        )
    random, testing = np.random.default_rng(split.seed), np.zeros(samples, np.bool_)
    for group, count in enumerate(share(test, sizes)):
        testing[random.permutation(np.flatnonzero(groups == group))[:count]] = True
    return testing


def share(test: int, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many samples of each group to test on, by largest remainder, neither none nor all.

    sizes: (groups,), each at least 2, with groups <= test <= sizes.sum() - groups
    Returns (groups,) with the sum `test`.
    """
    total = sizes.sum()
    counts: NDArray[np.int64] = np.clip(test * sizes // total, 1, sizes - 1)
    while missing := np.sign(test - counts.sum()):
        # How far each group is from its share, in units of 1/total so that it is a whole number.
        gap = missing * (test * sizes - total * counts)
        open_groups = np.flatnonzero(counts < sizes - 1 if missing > 0 else counts > 1)
        counts[open_groups[np.argmax(gap[open_groups])]] += missing
    return counts


def standardize(train: Table, test: Table) -> tuple[Table, Table]:
    """Shifts and scales each feature to mean 0 and standard deviation 1 over the training samples.

    The test samples take no part in it: they are scaled as any later sample would be. A feature
    that is constant over the training samples is only shifted.
    """
    mean, deviation = train.features.mean(axis=0), train.features.std(axis=0)
    # Rounding can leave a constant with a deviation just above 0, and what is all but constant
    # with one of 0.
    constant = (np.ptp(train.features, axis=0) == 0) | (deviation == 0)
    scale = np.where(constant, 1.0, deviation)
    return (
        replace(train, features=(train.features - mean) / scale),
        replace(test, features=(test.features - mean) / scale),
    )


if __name__ == "__main__":
    run(main)
