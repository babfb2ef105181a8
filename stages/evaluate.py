"""Both twins of a task as metrics: how good they are, and how far apart."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.proofs.claims import claim_of_task, say_what_fails
from stages.proofs.difference import radii, relative_difference, relative_drift, ulp_difference
from stages.task.command import run
from stages.task.files import (
    LOSSES,
    TWINS,
    Files,
    History,
    read_history,
    read_tensors,
    write_metrics,
)
from stages.task.model import Model
from stages.task.table import Table, read_parts

Metrics = dict[str, float | int | None]


def main(task: str, model: Model) -> None:
    """Writes metrics/<task>.json, and says where the twins are further apart than by rounding.

    A value that does not exist, say after divergence, is null.
    """
    files = Files(task)
    parts = read_parts(files)
    tables = {name: table.in_own_units() for name, table in parts.items()}
    snapshots = {twin: read_tensors(files.snapshots[twin], "step") for twin in TWINS}
    names = sorted(snapshots["numpy"].keys() - {"step"})
    models = {twin: read_tensors(files.model[twin], *names) for twin in TWINS}
    histories = {twin: read_history(files.history[twin], *LOSSES) for twin in TWINS}
    squared = model.loss == "half_mse"
    metrics = {
        twin: _quality(histories[twin], tables.get("test") if squared else None) for twin in TWINS
    }
    metrics["drift"] = _drift(models, histories) | {"cloud": _in_the_cloud(snapshots, files.cloud)}
    if model.is_linear and squared:
        metrics["least_squares"] = _least_squares(tables, metrics)
        if tables["train"].features.shape[1] == 1 and tables["train"].outputs == (1,):
            mean, scale = parts["train"].units or (0.0, 1.0)
            for twin in TWINS:
                weight, bias = (models[twin][f"0.{name}"].item() for name in ("weight", "bias"))
                metrics[twin]["weight"] = _finite(weight * scale)
                metrics[twin]["bias"] = _finite(bias * scale + mean)
    write_metrics(files.metrics, metrics)
    say_what_fails([claim_of_task(task, metrics)])


def _quality(history: History, test: Table | None) -> Metrics:
    """A twin's last row of history, R² of a number that is tested, and the step of divergence.

    test: the samples, if there are any, where the loss is that of R²
    The step is 0 for a training that did not diverge.
    """
    last = {column: values[-1] for column, values in history.items()}
    diverged = math.isnan(last["train_loss"])
    metrics: Metrics = {
        column: _finite(value) for column, value in last.items() if column not in ("epoch", "step")
    }
    if test is not None and test.classes is None:
        spread = float(np.mean((test.target - test.target.mean(axis=0)) ** 2))
        metrics["test_r2"] = _finite(1 - 2 * last["test_loss"] / spread if spread else math.nan)
    metrics["diverged_step"] = int(last["step"]) if diverged else 0
    return metrics


def _drift(
    models: Mapping[str, Mapping[str, NDArray[Any]]], histories: Mapping[str, History]
) -> Metrics:
    """The largest difference of a parameter and of a loss between the twins, after training."""
    pairs = [(models["numpy"][key], models["torch"][key]) for key in models["numpy"]]
    finite = all(np.isfinite(values).all() for pair in pairs for values in pair)
    losses = [
        np.array([v[-1] for name, v in histories[twin].items() if name.endswith("_loss")])
        for twin in TWINS
    ]
    return {
        "parameters": max(relative_difference(*pair) for pair in pairs) if finite else None,
        "parameters_ulp": max(ulp_difference(*pair) for pair in pairs) if finite else None,
        "loss": _finite(relative_difference(*losses)),
    }


def _in_the_cloud(snapshots: Mapping[str, Mapping[str, Any]], cloud: Path) -> float | None:
    """How far apart the twins are at most, in radii of the cloud of the training: see `radii`."""
    paths = []
    for twin in TWINS:
        moments = len(snapshots[twin]["step"])
        states = [values for name, values in snapshots[twin].items() if name != "step"]
        paths.append(np.hstack([values.reshape(moments, -1) for values in states]))
    both = min(map(len, paths))  # a twin that diverged has fewer moments
    apart = relative_drift(paths[0][:both], paths[1][:both])
    return _finite(radii(apart, read_tensors(cloud, "apart")["apart"][:both]))


def _least_squares(tables: Mapping[str, Table], twins: Mapping[str, Metrics]) -> Metrics:
    """The closed-form optimum of a linear model, and how far above it the worse twin trained."""
    train = tables["train"]
    coefficients, *_ = np.linalg.lstsq(_design(train), train.target, rcond=None)

    def loss(table: Table) -> float:
        return float(0.5 * np.mean((_design(table) @ coefficients - table.target) ** 2))

    trained, optimum = [twins[twin]["train_loss"] for twin in TWINS], loss(train)
    excess = None
    if optimum > 0 and not any(value is None for value in trained):
        excess = max(value / optimum - 1 for value in trained if value is not None)
    tested: Metrics = {"test_loss": loss(tables["test"])} if "test" in tables else {}
    return tested | {"excess_loss": excess}


def _design(table: Table) -> NDArray[np.float64]:
    return np.column_stack([table.features, np.ones(len(table.target))])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    run(main)
