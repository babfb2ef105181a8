"""The sweep of a task: what it writes, and that nothing is lost when it is stopped."""

import csv
import json
import os
import pty
import resource
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_sweeps import (
    ALONE,
    NAME,
    classifier,
    finished_blocks,
    plan_blocks,
    regression,
    start_sweep,
    sweep,
    wait_for_blocks,
    write_parameters,
)
from trainings import Task, write_samples

from stages.sweep import train_all
from stages.sweeps import blocks
from stages.task.files import Files
from stages.task.table import read_table, write_table

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

OPTIMIZERS = {
    "sgd": {"lr": {"log": [0.01, 1], "points": 4}, "momentum": [0.0, 0.9]},
    "adam": {"lr": [0.001, 0.01, 0.1]},
}


def write(**changes: Any) -> Task:
    """Writes params.yaml and the samples of a sweep of 22 runs in 4 blocks."""
    options = {"optimizers": OPTIMIZERS, "training__epochs": 5, "sweep__repeated": 3} | changes
    task = classifier(options.pop("optimizers"), **options)
    write_parameters(task)
    return task


def test_what_a_sweep_writes() -> None:
    write()
    sweep(torch=True)
    table = pq.read_table(Files(NAME).sweep).to_pydict()
    assert table["optimizer"] == ["sgd"] * 16 + ["adam"] * 6
    assert table["seed"] == [1, 2] * 11
    assert table["momentum"][:4] == [0.0, 0.0, 0.9, 0.9]
    assert table["momentum"][-1] is None
    assert table["lr"][-6:] == [0.001, 0.001, 0.01, 0.01, 0.1, 0.1]
    assert not any(table["diverged"])
    assert set(table["steps"]) == {5}

    metrics = json.loads(Files(NAME).sweep_metrics.read_text())
    adam = np.median(np.reshape(table["train_loss"][-6:], (3, 2)), axis=1)
    assert metrics["adam"]["best"] == {"lr": [0.001, 0.01, 0.1][int(np.argmin(adam))]}
    assert metrics["adam"]["train_loss"] == adam.min()
    assert metrics["adam"]["trainings"] == 6
    assert metrics["drift"]["runs"] == 3
    assert 0 <= metrics["drift"]["train_loss"] < 1e-10

    with Files(NAME).curves.open() as file:
        lines = list(csv.DictReader(file))
    assert [line["optimizer"] for line in lines] == ["sgd"] * 8 + ["adam"] * 3
    assert [float(line["train_loss"]) for line in lines[8:]] == adam.tolist()


def test_a_sweep_of_a_task_without_a_test_part() -> None:
    write()
    write_samples(NAME, train=70, test=0, features=2, classes=2)
    sweep(torch=True)
    metrics = json.loads(Files(NAME).sweep_metrics.read_text())
    assert set(metrics["drift"]) == {"runs", "train_loss"}
    assert not [name for name in metrics["sgd"] if "test" in name]
    assert not [name for name in pq.read_table(Files(NAME).sweep).column_names if "test" in name]


def test_losses_of_a_sweep_are_in_the_own_units_of_a_standardized_target() -> None:
    task = regression({"sgd": {"lr": [0.01]}}, seeds=1)
    write_parameters(task)
    train, test = (read_table(path) for path in (Files(NAME).train, Files(NAME).test))
    found = []
    for units in (None, (5.0, 100.0)):
        write_table(Files(NAME).train, replace(train, units=units))
        write_table(Files(NAME).test, replace(test, units=units))
        sweep(torch=True)
        found.append(json.loads(Files(NAME).sweep_metrics.read_text()))
    for loss in ("train_loss", "test_loss"):
        assert found[1]["sgd"][loss] == pytest.approx(found[0]["sgd"][loss] * 1e4, rel=1e-12)
        assert found[1]["drift"][loss] < 1e-12


def test_a_sweep_that_diverges_everywhere() -> None:
    """There is no best setting, and nothing to repeat in torch."""
    task = write(optimizers={"sgd": {"lr": [1e300, 1e305]}}, training__epochs=20)
    sweep(torch=True)
    assert set(pq.read_table(Files(NAME).sweep)["diverged"].to_pylist()) == {1}
    metrics = json.loads(Files(NAME).sweep_metrics.read_text())
    assert metrics["sgd"] == {"trainings": 4, "diverged": 4}
    assert metrics["drift"] == {"runs": 0}
    assert task.sweep.repeated == 3


# ------------------------------------------------------------------------------ nothing is lost

# 36 blocks of about 50 ms each.
MANY: dict[str, Any] = {
    "optimizers": {name: {"lr": [0.01, 0.1, 1]} for name in ("sgd", "adam", "rprop")},
    "seeds": 12,
    "training__epochs": 300,
}


def children(parent: int) -> list[int]:
    """The processes that a process has started, directly and indirectly."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in found.splitlines()]
    direct = [pid for pid, ppid in pairs if ppid == parent]
    return direct + [child for pid in direct for child in children(pid)]


def gone(pids: list[int]) -> bool:
    """Whether the processes end within some seconds."""
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_sweep_that_is_stopped_goes_on_where_it_was() -> None:
    """Killed or interrupted, with its children or alone: none of them stays, nothing is lost."""
    task = write(**MANY)
    stops: list[tuple[Callable[[int, int], None], int, int]] = [
        (os.killpg, signal.SIGKILL, -signal.SIGKILL),
        (os.kill, signal.SIGKILL, -signal.SIGKILL),
        (os.killpg, signal.SIGINT, 130),
        (os.kill, signal.SIGINT, 130),
    ]
    kept: dict[str, tuple[int, bytes]] = {}
    for stop, number, code in stops:
        process = start_sweep(LOKY_MAX_CPU_COUNT="2")
        wait_for_blocks(process, len(kept) + 5)
        pids = children(process.pid)
        assert len(pids) >= 2
        stop(process.pid, number)
        printed, _ = process.communicate(timeout=30)
        assert (process.returncode, printed) == (code, "")
        assert gone(pids)
        before, kept = kept, finished_blocks()
        assert {name: kept[name] for name in before} == before
        assert len(before) + 5 <= len(kept) < len(plan_blocks(task))
        assert not Files(NAME).sweep.exists()

    in_the_end = sweep()
    every = finished_blocks()
    assert len(every) == len(plan_blocks(task))
    assert {name: every[name] for name in kept} == kept  # none was written again
    assert not list(Files(NAME).blocks.glob("*.part"))

    undisturbed = Path("undisturbed")
    undisturbed.mkdir()
    os.chdir(undisturbed)
    write(**MANY)
    assert sweep() == in_the_end
    alone = finished_blocks()
    assert {name: content for name, (_, content) in alone.items()} == {
        name: content for name, (_, content) in every.items()
    }


def test_a_process_that_is_killed_is_one_line_and_the_blocks_are_kept() -> None:
    task = write(**MANY)
    process = start_sweep(LOKY_MAX_CPU_COUNT="2")
    wait_for_blocks(process, 5)
    workers = [
        pid
        for pid in children(process.pid)
        if b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(workers[0], signal.SIGKILL)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert printed == (
        "a process that computes was killed, perhaps for want of memory; what is finished is kept, "
        "and the same command goes on from there\n"
    )
    assert 5 <= len(finished_blocks()) < len(plan_blocks(task))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Callable[[Task], int]:
    """Counts the blocks that a sweep trains, given what it finds in the store."""
    count = 0

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        return blocks.train(*arguments, **options)

    def number(task: Task) -> int:
        nonlocal count
        count = 0
        planned = plan_blocks(task)
        assert sorted(train_all(planned, NAME, task.model, task.training)) == list(
            range(len(planned))
        )
        return count

    monkeypatch.setattr("stages.sweep.train", counting)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    return number


def test_only_what_is_new_trains(trained: Callable[[Task], int]) -> None:
    assert trained(write()) == 4
    assert trained(write()) == 0
    assert trained(write(seeds=3)) == 2
    more = OPTIMIZERS | {"rprop": {"lr": 0.1}, "adam": {"lr": [0.5]}}
    assert trained(write(seeds=3, optimizers=more)) == 3 + 3
    assert trained(write(seeds=3, optimizers=more, training__seed=2)) == 3  # 2, 3 and 4
    assert trained(write(seeds=3, optimizers=more, training__epochs=6)) == 9
    task = write(seeds=3, optimizers=more, training__epochs=6)
    write_samples(NAME, train=70, test=20, features=2, classes=2, seed=2)
    assert trained(task) == 9


def test_a_block_that_is_not_whole_trains_again(trained: Callable[[Task], int]) -> None:
    trained(write())
    complete = finished_blocks()
    one, other, *_ = Files(NAME).blocks.iterdir()
    one.write_bytes(one.read_bytes()[:-1])
    other.write_bytes(b"")
    assert trained(write()) == 2
    assert finished_blocks().keys() == complete.keys()
    assert {content for _, content in finished_blocks().values()} == {
        content for _, content in complete.values()
    }


def test_results_that_are_kept_are_written_as_those_that_are_new() -> None:
    """With one process or with two."""
    write(seeds=1)
    sweep()
    write()
    before = finished_blocks()
    mixed = sweep(LOKY_MAX_CPU_COUNT="1")
    assert len(finished_blocks()) == 2 * len(before)
    assert before.items() <= finished_blocks().items()
    for path in Files(NAME).blocks.iterdir():
        path.unlink()
    assert sweep(LOKY_MAX_CPU_COUNT="2") == mixed
    assert sweep() == mixed


def test_a_full_disk_is_one_line_and_nothing_half_written_is_taken() -> None:
    task = write()
    process = start_sweep(limit=(resource.RLIMIT_FSIZE, 600))
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = printed.splitlines()
    assert line.startswith(f"{Files(NAME).blocks}/")
    assert line.endswith(": File too large")
    assert finished_blocks() == {}
    sweep()
    assert len(finished_blocks()) == len(plan_blocks(task))


# ---------------------------------------------------------------------------- what the user sees


def on_a_terminal(stop_after: int | None = None) -> tuple[int, str]:
    """The exit code and what a terminal shows; Ctrl-C comes after `stop_after` blocks."""
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    process = start_sweep(stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        if stop_after is not None and len(finished_blocks()) >= stop_after:
            os.killpg(process.pid, signal.SIGINT)
            stop_after = None
        if select.select([screen], [], [], 0.01)[0]:
            try:
                shown += os.read(screen, 2**16)
            except OSError:  # it has been closed
                break
    os.close(screen)
    return process.wait(), shown.decode()


def test_a_terminal_shows_how_fast_it_is_and_how_long_it_takes() -> None:
    write(**MANY)
    code, shown = on_a_terminal(stop_after=9)
    assert code == 130
    frames = [frame.strip() for frame in shown.split("\r") if frame.strip()]
    assert all(" trainings/s]" in frame or "? trainings/s" in frame for frame in frames), shown
    assert "/108 [00:" in frames[-1]
    kept = 3 * len(finished_blocks())
    _, shown = on_a_terminal(stop_after=kept // 3 + 9)
    assert f" {kept}/108 " in shown.split("trainings/s")[0]


def test_a_mistake_is_one_line() -> None:
    task = write()
    content = task.sweep.model_copy(
        update={"optimizers": {"sgd": {"lr": {"log": [0, 1], "points": 3}}}}
    )
    write_parameters(task.model_copy(update={"sweep": content}))
    process = start_sweep()
    printed, _ = process.communicate()
    place = f"params.yaml: sweeps.{NAME}.optimizers.sgd.lr"
    assert (process.returncode, printed) == (
        1,
        f"{place}: log must be from a number greater than 0, got 0\n",
    )


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_mistake_that_only_the_training_finds_is_one_line(processes: str) -> None:
    write(training__batch_size=71)
    process = start_sweep(LOKY_MAX_CPU_COUNT=processes)
    printed, _ = process.communicate()
    assert (process.returncode, printed) == (
        1,
        f"params.yaml: tasks.{NAME}.training.batch_size: must be at most 70, the size of the "
        "training part, or full; got 71\n",
    )


def test_the_trainings_import_nothing_large(monkeypatch: pytest.MonkeyPatch) -> None:
    write()
    monkeypatch.setattr("small_sweeps.ALONE", f"{ALONE}; import sys; print(*sys.modules)")
    process = start_sweep(LOKY_MAX_CPU_COUNT="1")
    printed, _ = process.communicate()
    assert process.returncode == 0
    modules = printed.split()
    assert "stages.sweeps.blocks" in modules
    assert not {"torch", "distributed", "dask"} & set(modules)
