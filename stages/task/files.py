"""Where the files of a task lie, how models, histories and metrics are kept, and params.yaml.

Libraries are imported where they are used: a stage pays for its own formats only.
"""

import csv
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from stages.task.errors import InputError, named, shown

PARAMETERS = "params.yaml"
CODE = Path("data", "code")  # which files each stage runs: see stages/code.py
TWINS = ("numpy", "torch")
LOSSES = ("epoch", "step", "train_loss")  # every history of a training has them


class Files:
    """The paths of one task, relative to the root of the project."""

    def __init__(self, task: str) -> None:
        data, plots = Path("data", task), Path("plots", task)
        self.raw = data / "raw.parquet"
        self.train = data / "train.parquet"
        self.test = data / "test.parquet"
        self.model = {twin: data / f"{twin}.safetensors" for twin in TWINS}
        self.snapshots = {twin: data / f"{twin}_snapshots.safetensors" for twin in TWINS}
        self.cloud = data / "numpy_cloud.safetensors"
        self.history = {twin: plots / f"{twin}.csv" for twin in TWINS}
        self.metrics = Path("metrics", f"{task}.json")
        self.plots = plots
        self.sweep = data / "sweep.parquet"
        self.blocks = data / "sweep_blocks"
        self.gradients = Path("metrics", task, "gradients.json")
        self.sweep_metrics = Path("metrics", task, "sweep.json")
        self.curves = plots / "sweep.csv"


def write_file(path: Path, content: bytes) -> None:
    """Writes a file: all of it, or, if that fails or is stopped, what was there before stays.

    Raises OSError with the name of the file.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):  # that of a full disk does not say whose
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Writes rows, the first of which names the columns, as `write_file` does."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_file(path, text.getvalue().encode())


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around what reads a file that a stage wrote: whatever goes wrong is one line with its path.

    Raises InputError if the file is damaged, OSError if it cannot be read at all.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # a library's own, of the content
            raise damaged(path, error) from None
        raise OSError(error.errno, error.strerror, str(path)) from None
    except Exception as error:  # each format has many
        raise damaged(path, error) from None


def damaged(path: Path, reason: object) -> InputError:
    """The error that says how to mend a file that a stage wrote."""
    first = next(iter(str(reason).splitlines()), "") or type(reason).__name__
    return InputError(f"{path}: is damaged ({first}); delete it, and dvc repro makes it anew")


def write_tensors(path: Path, tensors: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes arrays by name as safetensors: a model in torch's state-dict names and shapes."""
    from safetensors.numpy import save

    # safetensors writes an array's memory as it lies and takes no notice of strides.
    ordered = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    write_file(path, save(ordered))


def read_tensors(path: Path, *names: str) -> dict[str, NDArray[np.generic]]:
    """Reads the arrays of a safetensors file by name, in the order of the names.

    names: some that must be there
    Raises InputError if the file is damaged, OSError if it cannot be read.
    """
    from safetensors.numpy import load_file

    with reading(path):
        path.open("rb").close()  # whose errors say what is wrong; safetensors' do not
        tensors = dict(sorted(load_file(path).items()))
        _require(names, tensors)
        return tensors


History = dict[str, list[float]]


def write_history(path: Path, history: History) -> None:
    """Writes the columns of a history as CSV; a value that is not finite becomes an empty field."""
    rows = zip(*history.values(), strict=True)
    written = ([repr(value) if math.isfinite(value) else "" for value in row] for row in rows)
    write_csv(path, [history, *written])


def read_history(path: Path, *names: str) -> History:
    """Reads the columns of a history; an empty field becomes NaN.

    names: some that must be there
    Raises InputError if the file is damaged, OSError if it cannot be read.
    """
    with reading(path), path.open(newline="") as file:
        header, *rows = csv.reader(file)
        columns = zip(*rows, strict=True)
        history = {
            name: [float(value) if value else math.nan for value in column]
            for name, column in zip(header, columns, strict=True)
        }
        _require(names, history)
        return history


def write_metrics(path: Path, metrics: Mapping[str, object]) -> None:
    """Writes metrics as JSON, one value a line, so that a diff in review shows what moved."""
    write_file(path, (json.dumps(metrics, indent=2, allow_nan=False) + "\n").encode())


def read_metrics(path: Path, *keys: str) -> Any:
    """Reads the metrics in a file.

    keys: some that must be there, dotted; * stands for each of at least one
    Raises InputError if they are not JSON or not by name, OSError if it cannot be read.
    """
    with reading(path):
        metrics = json.loads(path.read_bytes())
        if not isinstance(metrics, dict):
            raise ValueError(f"must be metrics by name, got {shown(metrics)}")
        _require(keys, [key for key in keys if _has(metrics, key.split("."))])
    return metrics


def _require(names: Iterable[str], there: Collection[str]) -> None:
    for name in names:
        if name not in there:
            raise ValueError(f"it has no {name}")


def _has(content: object, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    if not isinstance(content, Mapping):
        return False
    first, *rest = keys
    inner = content.values() if first == "*" else [content[first]] if first in content else ()
    return bool(inner) and all(_has(each, rest) for each in inner)


DEEPEST = 100  # DVC itself ends in a RecursionError a little beyond


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses what can be read in two ways.

    That is a key given twice, of which YAML's own would keep the last, and what YAML 1.1, read
    here, and YAML 1.2, read by DVC, take for different values.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {named(key.value)} is given twice",
                    problem_mark=key.start_mark,
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]

    def construct_object(self, node: Any, deep: bool = False) -> object:
        if not isinstance(node, yaml.ScalarNode):
            return super().construct_object(node, deep)
        try:
            value: object = super().construct_object(node, deep)
            if not isinstance(value, int | float) or re.fullmatch(_IN_BOTH, node.value):
                return value
            from dvc.utils.serialize import loads_yaml

            ours, theirs = shown(value), shown(loads_yaml(node.value))
        except (ValueError, KeyError) as error:  # 2026-02-30, or a number of over 4,300 digits
            words = f"{named(node.value)} is no {node.tag.rpartition(':')[2]}: {error}"
            raise yaml.MarkedYAMLError(problem=words, problem_mark=node.start_mark) from None
        if ours != theirs:
            words = f"{named(node.value)} is {ours} in YAML 1.1, but {theirs} to DVC"
            raise yaml.MarkedYAMLError(
                problem=f"{words}: write one of these", problem_mark=node.start_mark
            )
        return value


_IN_BOTH = r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+][0-9]+)?|true|false"


def _refuse_what_is_too_deep(content: bytes) -> None:
    event: Any
    depth = 0
    for event in yaml.parse(content, _Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            problem = f"is nested more than {DEEPEST} deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def read_content(path: str | Path = PARAMETERS) -> Any:
    """The content of the file, not validated yet. Raises InputError if it is not YAML."""
    try:
        content = Path(path).read_bytes()
        _refuse_what_is_too_deep(content)  # else the process may crash
        return yaml.load(content, _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; run this in the root of the project") from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
