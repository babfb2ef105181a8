"""Where the files of a task lie, how models, histories and metrics are kept, and params.yaml.

Libraries are imported where they are used: a stage pays for its own formats only.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from stages.task.errors import InputError

PARAMETERS = "params.yaml"
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


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses a key given twice, where YAML's own would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is given twice", problem_mark=key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_content(path: str | Path = PARAMETERS) -> Any:
    """The content of the file, not validated yet. Raises InputError if it is not YAML."""
    try:
        return yaml.load(Path(path).read_bytes(), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this in the root of the project") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
