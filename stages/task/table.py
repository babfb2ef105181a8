"""The samples of a task, as parquet."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.task.files import Files, reading, write_file


@dataclass(frozen=True)
class Table:
    """The samples of a task.

    features: (samples, features) float64
    target: (samples,) float64, or int64 indices into `classes`; (samples, targets) where each
        sample has several
    classes: the label of each class, or None where the target is a number
    categories: the labels of each feature that is indices into them; the parts of a split have none
    fill: what a feature that is missing, NaN, becomes; there is none in the parts of a split
    groups: (samples,) int64, which samples a split must not part; the parts have none
    units: where the target is standardized, the mean and the deviation that were 0 and 1 of it
    single: what is wrong with a class of one sample, if any sample is to test; the parts have none
    """

    features: NDArray[np.float64]
    target: NDArray[np.float64] | NDArray[np.int64]
    feature_names: Sequence[str]
    target_name: str
    classes: Sequence[str] | None = None
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fill: str | None = None
    groups: NDArray[np.int64] | None = None
    units: tuple[float, float] | None = None
    single: str | None = None

    @property
    def outputs(self) -> tuple[int, ...]:
        """The shape of what a model returns for a sample.

        (1,) for a number, (targets,) for several; (classes,), or (targets, classes)
        """
        targets = self.target.shape[1:]
        return (targets or (1,)) if self.classes is None else (*targets, len(self.classes))

    @property
    def target_of_models(self) -> NDArray[np.float64] | NDArray[np.int64]:
        """The target as a model predicts it: numbers have one more axis, (samples, targets)."""
        number = self.classes is None and self.target.ndim == 1
        return self.target[:, None] if number else self.target

    def in_own_units(self) -> "Table":
        """The table with the target as it was before it was standardized."""
        if self.units is None:
            return self
        mean, scale = self.units
        target = np.asarray(self.target * scale + mean, np.float64)
        return replace(self, target=target, units=None)

    def rows(self, index: NDArray[np.int64]) -> "Table":
        """The table of the samples at `index`, in that order; without groups."""
        features, target = self.features[index], self.target[index]
        return replace(self, features=features, target=target, groups=None, single=None)


def write_table(path: Path, table: Table) -> None:
    """Writes a table as parquet: features, the target, any groups; labels in the metadata.

    Several targets are the columns <name>_1, <name>_2, ...
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    groups = [] if table.groups is None else [table.groups]
    targets, target_names = [table.target], [table.target_name]
    if table.target.ndim == 2:
        targets = list(table.target.T)
        target_names = [f"{table.target_name}_{number + 1}" for number in range(len(targets))]
    columns = [*map(np.ascontiguousarray, [*table.features.T, *targets, *groups])]
    # From and to NumPy by way of memory alone: pyarrow.array and .to_numpy would import pandas.
    arrays = [
        pa.Array.from_buffers(
            pa.from_numpy_dtype(column.dtype), len(column), [None, pa.py_buffer(column)]
        )
        for column in columns
    ]
    names = [*table.feature_names, *target_names, *(["group"] if groups else [])]
    metadata = {"classes": json.dumps(table.classes and list(table.classes))}
    if table.target.ndim == 2:
        metadata["target"], metadata["targets"] = table.target_name, str(len(targets))
    if table.categories:
        metadata["categories"] = json.dumps(dict(table.categories))
    if table.fill:
        metadata["fill"] = table.fill
    if groups:
        metadata["grouped"] = "true"
    if table.units:
        metadata["units"] = json.dumps(table.units)
    if table.single:
        metadata["single"] = table.single
    content = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=names, metadata=metadata), content)
    write_file(path, content.getvalue())


def read_table(path: Path) -> Table:
    """Reads a table that `write_table` wrote.

    Raises InputError if the file is damaged, OSError if it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # ParquetFile reads one file; read_table would import the whole of pyarrow.dataset for it. From
    # memory and on this thread: a process this short can end before Arrow's threads have begun.
    with reading(path), pq.ParquetFile(pa.BufferReader(path.read_bytes())) as file:
        content = file.read(use_threads=False).combine_chunks()
        columns: list[NDArray[Any]] = [
            np.from_dlpack(each.chunk(0)) if len(each) else np.empty(0, str(each.type))
            for each in content.columns
        ]
        metadata, names = content.schema.metadata, content.column_names
        groups = None
        if b"grouped" in metadata:
            groups = columns.pop().copy()
            names.pop()
        several = b"targets" in metadata
        target_name = metadata[b"target"].decode() if several else names[-1]
        count = int(metadata[b"targets"]) if several else 1
        features, targets = columns[:-count], columns[-count:]
        classes = json.loads(metadata[b"classes"])
        categories = json.loads(metadata.get(b"categories", b"{}"))
        fill = metadata.get(b"fill", b"").decode() or None
        units = json.loads(metadata.get(b"units", b"null"))
        single = metadata.get(b"single", b"").decode() or None
    return Table(
        np.stack(features, axis=1),
        np.stack(targets, axis=1) if several else targets[0].copy(),
        names[:-count],
        target_name,
        classes,
        categories,
        fill,
        groups,
        units and tuple(units),
        single,
    )


def read_parts(files: Files) -> dict[str, Table]:
    """The parts of a task's samples, "train" and, if any sample tests, "test"."""
    parts = {"train": read_table(files.train), "test": read_table(files.test)}
    return {name: table for name, table in parts.items() if len(table.target)}
