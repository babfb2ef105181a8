"""Small sweeps in the current directory, in this process and in processes of their own."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from repository import ROOT
from trainings import Task, task_like, write_samples

from stages.sweeps.blocks import Block, blocks, train
from stages.sweeps.results import Runs, gather
from stages.task.files import Files
from stages.task.table import read_table

NAME = "small"


def classifier(optimizers: dict[str, Any], seeds: int = 2, **changes: Any) -> Task:
    """A classifier of the 70 + 20 samples that it writes, and its sweep."""
    write_samples(NAME, train=70, test=20, features=2, classes=2)
    return _task("classification", optimizers, seeds, changes)


def regression(optimizers: dict[str, Any], seeds: int = 2, **changes: Any) -> Task:
    """A line through the 70 + 20 samples that it writes, and its sweep."""
    write_samples(NAME, train=70, test=20, features=1)
    return _task("regression", optimizers, seeds, changes)


def _task(name: str, optimizers: dict[str, Any], seeds: int, changes: dict[str, Any]) -> Task:
    sweep = {"seeds": seeds, "repeated": 1, "optimizers": optimizers}
    short = {"training__epochs": 3, "training__batch_size": "full", "sweep": sweep}
    return task_like(name, **{**short, **changes})


def plan_blocks(task: Task) -> list[Block]:
    first = task.training.seed
    return list(blocks(task.sweep.swept, range(first, first + task.sweep.seeds), first))


def run_blocks(task: Task) -> list[Runs]:
    """All runs of the task's sweep, block by block in this process."""
    tables = {"train": read_table(Files(NAME).train), "test": read_table(Files(NAME).test)}
    planned = plan_blocks(task)
    results = {
        number: train(block, NAME, task.model, task.training, tables)
        for number, block in enumerate(planned)
    }
    return gather(planned, results, task.sweep.seeds)


def write_parameters(task: Task) -> None:
    """Writes params.yaml with this task alone."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    dumped = task.model_dump(mode="json", exclude_none=True, by_alias=True)
    content |= {"device": dumped.pop("device"), "sweeps": {NAME: dumped.pop("sweep")}}
    content["checks"]["training"]["task"] = NAME
    content["tasks"] = {NAME: dumped}
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def given(task: Task) -> dict[str, Any]:
    """What the sweep hands to its process in torch."""
    sections = {name: getattr(task, name) for name in ("model", "training", "sweep")}
    return {"task": NAME, **{name: part.model_dump() for name, part in sections.items()}}


ALONE = "import stages.sweep as stage; stage.drift = lambda *_: {}; stage.run(stage.main)"


def start_sweep(
    code: Path = ROOT,
    torch: bool = False,
    limit: tuple[int, int] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.STDOUT,
    **environment: str,
) -> subprocess.Popen[str]:
    """`python -m stages.sweep` in the current directory, in a process group of its own.

    code: where the package `stages` is
    torch: repeat some trainings there, too
    limit: a resource, and how much of it there is
    """
    kept = {key: value for key, value in os.environ.items() if key != "DASK_SCHEDULER_ADDRESS"}
    return subprocess.Popen(
        [sys.executable, *(["-m", "stages.sweep"] if torch else ["-c", ALONE]), NAME],
        env={**kept, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(code), **environment},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
        preexec_fn=limit and (lambda: resource.setrlimit(limit[0], (limit[1], limit[1]))),
    )


def sweep(code: Path = ROOT, torch: bool = False, **environment: str) -> dict[str, bytes]:
    """What a sweep writes, by file name; it must succeed and print nothing."""
    process = start_sweep(code, torch, **environment)
    printed, _ = process.communicate(timeout=120)
    assert (process.returncode, printed) == (0, "")
    return outputs()


def outputs() -> dict[str, bytes]:
    files = Files(NAME)
    return {
        path.name: path.read_bytes() for path in (files.sweep, files.sweep_metrics, files.curves)
    }


def finished_blocks() -> dict[str, tuple[int, bytes]]:
    """The files of finished blocks by name: when each was written, and its content."""
    folder = Files(NAME).blocks
    paths = folder.iterdir() if folder.exists() else []
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in paths
        if path.suffix != ".part"
    }


def wait_for_blocks(process: subprocess.Popen[str], count: int) -> None:
    """Waits until a running sweep has finished `count` blocks, and still runs."""
    deadline = time.monotonic() + 60
    while len(finished_blocks()) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert process.poll() is None


def same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Whether the two are equal bit for bit; all NaNs count as equal."""
    one, other = (np.where(np.isnan(values), np.nan, values) for values in (left, right))
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()
