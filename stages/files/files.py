"""Where a task's files lie and what is in them.

Every file that one stage writes and another reads is written and read here, so the two sides
cannot disagree. Libraries are imported where they are used: a stage pays for its own formats only.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TWINS = ("numpy", "torch")


@dataclass(frozen=True)
class Table:
    """The samples of a task.

    features: (samples, features) float64
    target: (samples,) float64, or int64 indices into `classes`
    classes: the label of each class, or None where the target is a number
    """

    features: NDArray[np.float64]
    target: NDArray[np.float64] | NDArray[np.int64]
    feature_names: Sequence[str]
    target_name: str
    classes: Sequence[str] | None = None

    def rows(self, index: NDArray[np.int64]) -> "Table":
        """The table of the samples at `index`, in that order."""
        return Table(
            self.features[index],
            self.target[index],
            self.feature_names,
            self.target_name,
            self.classes,
        )


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


def write_table(path: Path, table: Table) -> None:
    """Writes a table as parquet: the feature columns, then the target, classes in the metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [np.ascontiguousarray(column) for column in [*table.features.T, table.target]]
    # From and to NumPy by way of memory alone: pyarrow.array and .to_numpy would import pandas.
    arrays = [
        pa.Array.from_buffers(
            pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(column)]
        )
        for column in columns
    ]
    names = [*table.feature_names, table.target_name]
    metadata = {"classes": json.dumps(table.classes and list(table.classes))}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(arrays, names=names, metadata=metadata), path)


def read_table(path: Path) -> Table:
    """Reads a table that `write_table` wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # ParquetFile reads one file; read_table would import the whole of pyarrow.dataset for it. From
    # memory and on this thread: a process this short can end before Arrow's threads have begun.
    with pq.ParquetFile(pa.BufferReader(path.read_bytes())) as file:
        content = file.read(use_threads=False).combine_chunks()
    columns: list[NDArray[Any]] = [np.from_dlpack(column.chunk(0)) for column in content.columns]
    *features, target = columns
    *feature_names, target_name = content.column_names
    classes = json.loads(content.schema.metadata[b"classes"])
    return Table(np.stack(features, axis=1), target.copy(), feature_names, target_name, classes)


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
