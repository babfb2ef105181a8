"""Where the files of a task lie, and how models, histories and metrics are written and read.

Libraries are imported where they are used: a stage pays for its own formats only.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.errors import InputError

TWINS = ("numpy", "torch")


class Files:
    """The paths of one task, relative to the root of the project."""

    def __init__(self, task: str) -> None:
        data, plots = Path("data", task), Path("plots", task)
        self.raw = data / "raw.parquet"
        self.train = data / "train.parquet"
        self.test = data / "test.parquet"
        self.model = {twin: data / f"{twin}.safetensors" for twin in TWINS}
        self.snapshots = {twin: data / f"{twin}_snapshots.safetensors" for twin in TWINS}
        self.history = {twin: plots / f"{twin}.csv" for twin in TWINS}
        self.metrics = Path("metrics", f"{task}.json")
        self.plots = plots
        self.sweep = data / "sweep.parquet"
        self.blocks = data / "sweep_blocks"
        self.sweep_metrics = Path("metrics", task, "sweep.json")
        self.curves = plots / "sweep.csv"


def write_tensors(path: Path, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes arrays by name as safetensors: a model in torch's state-dict names and shapes."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    # safetensors writes an array's memory as it lies and takes no notice of strides.
    save_file({name: np.asarray(array, order="C") for name, array in tensors.items()}, path)


def read_tensors(path: Path) -> dict[str, NDArray[np.generic]]:
    """Reads the arrays of a safetensors file by name, in the order of the names."""
    from safetensors.numpy import load_file

    return dict(sorted(load_file(path).items()))


History = dict[str, list[float]]


def write_history(path: Path, history: History) -> None:
    """Writes the columns of a history as CSV; a value that is not finite becomes an empty field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(history)
        for row in zip(*history.values(), strict=True):
            writer.writerow([repr(value) if math.isfinite(value) else "" for value in row])


def read_history(path: Path) -> History:
    """Reads the columns of a history; an empty field becomes NaN."""
    with path.open(newline="") as file:
        names, *rows = csv.reader(file)
    columns = zip(*rows, strict=True)
    return {
        name: [float(value) if value else math.nan for value in column]
        for name, column in zip(names, columns, strict=True)
    }


def write_metrics(path: Path, metrics: Mapping[str, object]) -> None:
    """Writes metrics as JSON, one value a line, so that a diff in review shows what moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")


def read_metrics(path: Path) -> Any:
    """Reads the metrics in a file. Raises InputError if it is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
