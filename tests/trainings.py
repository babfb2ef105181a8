"""Small tasks, their tables, and both twins' trainings of them in the current directory."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from repository import ROOT

from stages import generate, split, train_numpy, train_torch
from stages.task import parameters as schema
from stages.task.files import Files, read_history, read_tensors
from stages.task.grammar import Sweep
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table, write_table

Array = NDArray[Any]
MAIN = {"numpy": train_numpy.main, "torch": train_torch.main}


class Task(schema.Task):
    """A task, and what params.yaml has of it elsewhere."""

    device: str = "cpu"
    sweep: Sweep | None = None

    @property
    def hyperparameters(self) -> Hyperparameters:
        return getattr(self.optimizers, self.optimizer)


def call(main: Callable[..., None], name: str, task: Task) -> None:
    """Calls the function of a stage with what it asks for of the task."""
    asked = [key for key in inspect.signature(main).parameters if key != "task"]
    given = {key: getattr(task, key) for key in asked}
    if "optimizers" in given:  # as params.yaml has them
        given["optimizers"] = task.optimizers.model_dump(exclude_unset=True, by_alias=True)
    main(name, **given)


def task_like(name: str, **changes: Any) -> Task:
    """The task of params.yaml with some keys changed, `training__epochs=3` for example."""
    content = yaml.safe_load((ROOT / "params.yaml").read_bytes())["tasks"][name]
    content["model"]["source"] = str(ROOT / content["model"]["source"])
    for path, value in changes.items():
        *sections, key = path.split("__")
        section = content
        for one in sections:
            section = section[one]
        section[key] = value
    return Task.model_validate(content)


def write_samples(
    name: str, train: int, test: int, features: int, classes: int = 0, seed: int = 1
) -> None:
    """Writes a training and a test table: y = Σ x + noise, or, with `classes`, its quantile."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(train + test, features))
    y = x.sum(axis=1) + 0.1 * random.normal(size=len(x))
    if classes:
        order = np.argsort(np.argsort(y))
        y = (order * classes // len(y)).astype(np.int64)
    labels = [f"class {index}" for index in range(classes)] or None
    table = Table(x, y, [f"x{index}" for index in range(features)], "y", labels)
    index = np.arange(train + test)
    write_table(Files(name).train, table.rows(index[:train]))
    write_table(Files(name).test, table.rows(index[train:]))


def write_generated(name: str, task: Task) -> None:
    """Writes the tables of the task from its own generator."""
    absolute = task.data.model_copy(update={"source": str(ROOT / task.data.source)})
    call(generate.main, name, task.model_copy(update={"data": absolute}))
    call(split.main, name, task)


def train(
    twin: str, name: str, task: Task
) -> tuple[dict[str, Array], dict[str, Array], dict[str, list[float]]]:
    """Trains a twin; returns its model, snapshots and history."""
    call(MAIN[twin], name, task)
    files = Files(name)
    return (
        read_tensors(files.model[twin]),
        read_tensors(files.snapshots[twin]),
        read_history(files.history[twin]),
    )
