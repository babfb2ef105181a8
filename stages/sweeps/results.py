"""What a sweep found: the table of its runs, each optimizer's best setting, and its curves."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.sweeps.blocks import COLUMNS, Block
from stages.task.files import write_file
from stages.task.model import Model
from stages.task.table import Table

Values = NDArray[Any]
Columns = Mapping[str, Values]

# What counts as about as good as the best median: up to so many times that, and whatever is next to
# nothing, a share of what a constant prediction loses. Near 0 a tenth more is no difference.
NEAR, NOTHING = 1.1, 0.001


@dataclass(frozen=True)
class Runs:
    """All runs of one optimizer.

    points: the values of each axis, (points,)
    results: each column, (points, seeds)
    """

    optimizer: str
    points: Columns
    results: Columns

    @property
    def losses(self) -> Values:
        """(points, seeds): train_loss at the end, infinite where a run diverged."""
        return _worst_if_diverged(self.results["train_loss"], np.inf)

    @property
    def median(self) -> Values:
        """(points,): the median of the losses over the seeds, infinite where half of them are."""
        return np.median(self.losses, axis=1)

    @property
    def quartiles(self) -> Values:
        """(2, points): the lower and upper quartile of the losses, each one of the losses."""
        return np.quantile(self.losses, (0.25, 0.75), axis=1, method="inverted_cdf")

    def __len__(self) -> int:
        return len(self.results["diverged"])


def gather(planned: Sequence[Block], results: Mapping[int, Columns], seeds: int) -> list[Runs]:
    """The runs of each optimizer, from the results of each block by its number."""
    gathered = []
    for name in dict.fromkeys(block.optimizer for block in planned):
        members = [number for number, block in enumerate(planned) if block.optimizer == name]
        order = np.argsort(np.concatenate([planned[n].rows for n in members]))
        first = members[0]
        points = {
            axis: np.concatenate([planned[n].points[axis] for n in members])[order][::seeds]
            for axis in planned[first].points
        }
        columns = {
            column: np.concatenate([results[n][column] for n in members])[order].reshape(-1, seeds)
            for column in COLUMNS
            if column in results[first]
        }
        gathered.append(Runs(name, points, columns))
    return gathered


def constant_loss(table: Table, model: Model) -> float:
    """What a constant prediction loses, about: half the variance, or the entropy of the classes.

    It is in the target's own units.
    """
    if table.classes is None:
        return float(table.target.var()) / 2 * model.loss_unit(table.units)
    shares = np.unique(table.target, return_counts=True)[1] / len(table.target)
    return float(-(shares * np.log(shares)).sum())


def summary(runs: Runs, constant: float) -> dict[str, Any]:
    """The metrics of one optimizer, whose best setting is the one with the smallest median.

    constant: the loss of the best constant prediction

    trainings, diverged: how many there are, and how many of them diverged

    If at least one setting has a finite median:
    best: the best setting by hyperparameter
    train_loss, test_loss, test_accuracy: its medians over the seeds, where a run that diverged
        counts as the worst; None if infinite
    spread: the distance between its quartiles of train_loss; None if infinite
    lr_width: how many powers of ten the learning rates around its own span whose median is at most
        a tenth larger, or below a thousandth of `constant`, all else being equal; absent if there
        is only one rate
    """
    median = runs.median
    metrics: dict[str, Any] = {
        "trainings": runs.losses.size,
        "diverged": int(runs.results["diverged"].sum()),
    }
    best = int(np.argmin(median))
    if not math.isfinite(median[best]):
        return metrics
    metrics["best"] = {axis: _plain(values[best]) for axis, values in runs.points.items()}
    for column, worst in (("train_loss", np.inf), ("test_loss", np.inf), ("test_accuracy", 0)):
        if column in runs.results:
            values = _worst_if_diverged(runs.results[column][best], worst)
            metrics[column] = _finite(np.median(values))
    low, high = runs.quartiles[:, best]
    metrics["spread"] = _finite(high - low)
    rates, medians = _of_other_rates(runs, best)
    if len(rates) > 1:
        good = medians <= max(NEAR * median[best], NOTHING * constant)
        metrics["lr_width"] = _width(rates, good, float(runs.points["lr"][best]))
    return metrics


def _of_other_rates(runs: Runs, best: int) -> tuple[Values, Values]:
    """The learning rates of the settings that otherwise equal the best, and their medians."""
    if "lr" not in runs.points:
        return np.empty(0), np.empty(0)
    others = [values.tolist() for axis, values in runs.points.items() if axis != "lr"]
    alike = [all(values[n] == values[best] for values in others) for n in range(len(runs))]
    rates, medians = runs.points["lr"][alike], runs.median[alike]
    order = np.argsort(rates, kind="stable")
    return rates[order], medians[order]


def _width(rates: Values, good: Values, best: float) -> float:
    """See `summary`; rates: in ascending order."""
    below, above = rates[~good & (rates < best)], rates[~good & (rates > best)]
    near = rates[good & (rates > below.max(initial=0)) & (rates < above.min(initial=np.inf))]
    return math.log10(near[-1] / near[0])


def write_runs(path: Path, gathered: Sequence[Runs], seeds: Sequence[int]) -> None:
    """Writes a row for each run as parquet; hyperparameters an optimizer lacks are missing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts = [len(runs) * len(seeds) for runs in gathered]
    columns: dict[str, Any] = {
        "optimizer": pa.DictionaryArray.from_arrays(
            np.repeat(np.arange(len(gathered), dtype=np.int32), counts),
            [runs.optimizer for runs in gathered],
        )
    }
    for axis in _axes(gathered):
        parts = [np.repeat(_values(runs, axis), len(seeds)) for runs in gathered]
        columns[axis] = _column(np.concatenate(parts))
    columns["seed"] = np.concatenate([np.tile(np.array(seeds), len(runs)) for runs in gathered])
    for column in gathered[0].results:
        columns[column] = np.concatenate([runs.results[column].reshape(-1) for runs in gathered])
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    write_file(path, content.getvalue())


def curves(gathered: Sequence[Runs]) -> tuple[list[str], Iterator[list[Any]]]:
    """The axes of a sweep, and the points of its curves as stages/task/curves.py writes them."""
    axes = _axes(gathered)
    return axes, (line for runs in gathered for line in _lines(runs, axes))


def _lines(runs: Runs, axes: Sequence[str]) -> Iterator[list[Any]]:
    points = zip(*(_values(runs, axis).tolist() for axis in axes), strict=True)
    losses = np.stack([runs.median, *runs.quartiles], axis=1)
    diverged = runs.results["diverged"].mean(axis=1)
    for point, measures, share in zip(points, losses.tolist(), diverged.tolist(), strict=True):
        shown = ["" if measure == math.inf else measure for measure in measures]
        yield [runs.optimizer, *point, *shown, share]


def _axes(gathered: Sequence[Runs]) -> list[str]:
    return list(dict.fromkeys(axis for runs in gathered for axis in runs.points))


def _values(runs: Runs, axis: str) -> Values:
    """(points,): the values of the axis, None if the optimizer does not have it."""
    return runs.points.get(axis, np.full(len(runs), None))


def _column(values: Values) -> Any:
    """The values for Arrow, which needs them to be of one type: texts if they are not."""
    if values.dtype == object:
        kinds = {type(value) for value in values if value is not None}
        if len(kinds) > 1:
            return [None if value is None else str(value) for value in values]
    return values.tolist()


def _worst_if_diverged(values: Values, worst: float) -> Values:
    return np.where(np.isnan(values), worst, values)


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
