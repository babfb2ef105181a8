"""Splits the samples of a task into a train and a test table: `python -m stages.split <task>`."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stages.task.command import run
from stages.task.errors import InputError, shown
from stages.task.files import Files
from stages.task.parts import Split
from stages.task.table import Table, read_table, write_table

FAR = 1000  # a target from which a training is likely to end before it is there


def main(task: str, split: Split) -> None:
    """Writes the train and the test table of a task."""
    files = Files(task)
    table = read_table(files.raw)
    if split.strata > 1 and (table.classes is not None or table.groups is not None):
        instead = "data.group" if table.groups is not None else "classes"
        raise InputError(
            f"params.yaml: tasks.{task}.split.strata: must be 1, since the samples are split by "
            f"{instead}; got {split.strata}"
        )
    if table.single and split.test:
        raise InputError(table.single)
    try:
        testing = choose(table, split)
    except InputError as error:
        raise InputError(f"params.yaml: tasks.{task}.split.test: {error}") from None
    train, test = table.rows(np.flatnonzero(~testing)), table.rows(np.flatnonzero(testing))
    if table.fill:
        train, test = fill(task, train, test)
    if split.standardize:
        train, test = standardize(train, test)
    if table.categories:
        train, test = encode(task, train, test)
    if split.standardize_target:
        train, test = standardize_target(task, train, test)
    elif train.classes is None and (typical := np.sqrt(np.mean(train.target**2))) > FAR:
        print(
            f"tasks.{task}: a target of about {typical:.0f} is far from where a training starts; "
            "with split.standardize_target: true it is not, and metrics stay in its own units"
        )
    write_table(files.train, train)
    write_table(files.test, test)


def choose(table: Table, split: Split) -> NDArray[np.bool_]:
    """Chooses at random the samples to test on, from every class in proportion to its size.

    Where the target is a number, its strata take the place of classes; where there are several
    targets, all samples are alike. A table with groups is split between them, and neither part is
    sure to have its share of each class.

    Returns (samples,): whether a sample is one of them.
    Raises InputError where a part would lack a class, or be empty; only with a `test` of 0 may the
    test part be.
    """
    samples = len(table.target)
    if split.test == 0:
        return np.zeros(samples, np.bool_)
    test = split.test if isinstance(split.test, int) else round(split.test * samples)
    if table.groups is not None:
        return choose_groups(table, table.groups, test, split.seed)
    groups = table.target
    if table.target.ndim == 2:
        groups = np.zeros(samples)
    elif table.classes is None:
        rank = np.argsort(np.argsort(table.target, kind="stable"))
        groups = rank * split.strata // samples
    sizes = np.bincount(groups.astype(np.int64))
    least, most = len(sizes), samples - len(sizes)
    kind = "stratum" if table.classes is None else "class"
    if not least <= test <= most:
        raise InputError(
            f"must be from {least} to {most} of the {samples} samples, got {test}"
            + ("" if test == split.test else f", which is {split.test:g} of them")
            + ("" if len(sizes) == 1 else f"; each {kind} needs one in either part")
        )
    random, testing = np.random.default_rng(split.seed), np.zeros(samples, np.bool_)
    for group, count in enumerate(share(test, sizes)):
        testing[random.permutation(np.flatnonzero(groups == group))[:count]] = True
    return testing


def choose_groups(
    table: Table, groups: NDArray[np.int64], test: int, seed: int
) -> NDArray[np.bool_]:
    """Chooses groups at random, those that bring the number of their samples nearer to `test`.

    groups: (samples,), of each sample
    Returns (samples,): whether a sample is in one of them.
    Raises InputError where a part would lack a class, or be empty.
    """
    sizes = np.bincount(groups)
    chosen, total = np.zeros(len(sizes), np.bool_), 0
    for group in np.random.default_rng(seed).permutation(len(sizes)):
        if abs(total + sizes[group] - test) < abs(total - test):
            chosen[group], total = True, total + sizes[group]
    testing: NDArray[np.bool_] = chosen[groups]
    if not 0 < total < len(groups):
        raise InputError(
            f"must leave both parts a group of data.group, of which there are {len(sizes)} with "
            f"{sizes.min()} to {sizes.max()} samples; got {test}"
        )
    for index, label in enumerate(table.classes or ()):
        for part, name in ((testing, "test"), (~testing, "training")):
            if not (table.target[part] == index).any():
                raise InputError(
                    f"leaves the {name} part no sample of class {shown(label)}, since groups are "
                    "not parted; another split.seed may"
                )
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


def fill(task: str, train: Table, test: Table) -> tuple[Table, Table]:
    """Puts the mean or median of a feature over the training samples where a value is missing.

    A missing category becomes the most frequent one, the first of several.
    Raises InputError where no training sample has a value.
    """
    parts = train.features.copy(), test.features.copy()
    for index, name in enumerate(train.feature_names):
        columns = [features[:, index] for features in parts]
        if not any(np.isnan(column).any() for column in columns):
            continue
        known = columns[0][~np.isnan(columns[0])]
        if not len(known):
            raise InputError(
                f"params.yaml: tasks.{task}.data.missing: must be drop, since no training sample "
                f"has a value of {name}; got {train.fill}"
            )
        if name in train.categories:
            value = float(np.bincount(known.astype(np.int64)).argmax())
        else:
            value = float(known.mean() if train.fill == "mean" else np.median(known))
        for column in columns:
            column[np.isnan(column)] = value
    return (
        replace(train, features=parts[0], fill=None),
        replace(test, features=parts[1], fill=None),
    )


def encode(task: str, train: Table, test: Table) -> tuple[Table, Table]:
    """Replaces each category by a feature for each that a training sample has, 1 where it is that.

    A test sample of a category that no training sample has is 0 in all of them; prints how many
    there are.
    """
    names: list[str] = []
    parts: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    for index, name in enumerate(train.feature_names):
        columns = [table.features[:, index, None] for table in (train, test)]
        labels = train.categories.get(name)
        if labels is None:
            names.append(name)
        else:
            seen = np.unique(columns[0])
            unseen = ~np.isin(columns[1], seen)
            if unseen.any():
                got = ", ".join(labels[int(code)] for code in np.unique(columns[1][unseen]))
                print(
                    f"tasks.{task}: {unseen.sum()} of {len(unseen)} test samples are of a {name} "
                    f"that no training sample has ({got}): all columns of {name} are 0 for them"
                )
            names += [f"{name}={labels[int(code)]}" for code in seen]
            columns = [(column == seen).astype(np.float64) for column in columns]
        for part, column in zip(parts, columns, strict=True):
            part.append(column)
    encoded = [
        replace(table, features=np.hstack(part), feature_names=names, categories={})
        for table, part in zip((train, test), parts, strict=True)
    ]
    return encoded[0], encoded[1]


def standardize(train: Table, test: Table) -> tuple[Table, Table]:
    """Shifts and scales each feature to mean 0 and standard deviation 1 over the training samples.

    The test samples take no part in it: they are scaled as any later sample would be. A feature
    that is constant over the training samples is only shifted; a category is left as it is.
    """
    mean, deviation = train.features.mean(axis=0), train.features.std(axis=0)
    # Rounding can leave a constant with a deviation just above 0, and what is all but constant
    # with one of 0.
    constant = (np.ptp(train.features, axis=0) == 0) | (deviation == 0)
    scale = np.where(constant, 1.0, deviation)
    if train.categories:
        category = [name in train.categories for name in train.feature_names]
        mean[category], scale[category] = 0, 1
    return (
        replace(train, features=(train.features - mean) / scale),
        replace(test, features=(test.features - mean) / scale),
    )


def standardize_target(task: str, train: Table, test: Table) -> tuple[Table, Table]:
    """Shifts and scales the target to mean 0 and standard deviation 1 over the training samples.

    A constant target is only shifted. Raises InputError for a target of classes.
    """
    if train.classes is not None:
        raise InputError(
            f"params.yaml: tasks.{task}.split.standardize_target: must be false with loss "
            "cross_entropy, whose target is classes; got true"
        )
    mean, scale = float(train.target.mean()), float(train.target.std())
    if np.ptp(train.target) == 0 or scale == 0:
        scale = 1.0

    def scaled(table: Table) -> Table:
        target = np.asarray((table.target - mean) / scale, np.float64)
        return replace(table, target=target, units=(mean, scale))

    return scaled(train), scaled(test)


if __name__ == "__main__":
    run(main)
