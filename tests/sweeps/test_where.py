"""Blocks run on this machine and on a real Dask cluster give the same results, bit for bit."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dask_cluster import Cluster
from repository import ROOT
from small_sweeps import (
    ALONE,
    NAME,
    classifier,
    finished_blocks,
    outputs,
    plan_blocks,
    start_sweep,
    sweep,
    wait_for_blocks,
    write_parameters,
)

from stages.sweeps import where
from stages.sweeps.where import ADDRESS, finished
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.parameters import Task

BLOCKS = 20


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two workers, one of which has two threads."""
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.worker()
        cluster.worker(threads=2)
        yield cluster


@pytest.fixture(autouse=True)
def _in_a_new_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ADDRESS, raising=False)


def write(**changes: Any) -> Task:
    """Writes params.yaml and the samples of a sweep of BLOCKS blocks."""
    optimizers = {"sgd": {"lr": [0.01, 0.1], "momentum": 0.9}, "adam": {"lr": [0.01, 0.1, 1]}}
    options = {"training__epochs": 200, "seeds": 10} | changes
    task = classifier(optimizers, **options)
    write_parameters(task)
    return task


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What that sweep writes on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("here"))
        assert len(plan_blocks(write())) == BLOCKS
        return sweep(LOKY_MAX_CPU_COUNT="2")


def forget() -> None:
    """Deletes the finished blocks."""
    shutil.rmtree(Files(NAME).blocks)


def only_line(process: subprocess.Popen[str]) -> str:
    """The one line that a process prints before it ends with exit code 1."""
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1, printed
    (line,) = printed.splitlines()
    return line


# ------------------------------------------------------------------------------- on this machine


def test_no_work_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(finished(print, [])) == []
    monkeypatch.setenv(ADDRESS, "127.0.0.1:9")
    assert list(finished(print, [])) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_each_item_is_done_once(processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(processes))

    def work(item: int) -> tuple[int, int]:
        time.sleep(0.02)
        return item**2, os.getpid()

    results = dict(finished(work, range(3, 20)))
    assert [results[number][0] for number in range(17)] == [n**2 for n in range(3, 20)]
    assert len({pid for _, pid in results.values()}) == processes


def test_each_process_computes_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there are more cores than items."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    monkeypatch.setattr("joblib._parallel_backends.cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def work(name: str) -> str | None:
        return os.environ.get(name)

    names = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"]
    assert dict(finished(work, names)) == {0: "1", 1: "1"}


def test_results_come_as_they_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first item sleeps for 20 s; closing the generator does not wait for it."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    start = time.monotonic()
    results = finished(time.sleep, [20.0, 0.01, 0.02, 0.01])
    assert {next(results)[0] for _ in range(3)} == {1, 2, 3}
    results.close()
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_mistake_of_the_work_is_raised_here(
    processes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", processes)

    def work(item: int) -> None:
        raise InputError(f"{item}: must be σ")

    with pytest.raises(InputError, match=r"^\d: must be σ$"):
        list(finished(work, [1, 2, 3]))


# ---------------------------------------------------------------------------------- on a cluster


def test_where_it_runs_changes_no_byte(cluster: Cluster, expected: dict[str, bytes]) -> None:
    """One worker has two threads, which must not disturb each other."""
    write()
    assert sweep(**{ADDRESS: cluster.address}) == expected
    forget()
    assert sweep(LOKY_MAX_CPU_COUNT="1") == expected


def test_a_worker_that_is_killed_changes_nothing(
    cluster: Cluster, expected: dict[str, bytes]
) -> None:
    write()
    workers = [cluster.worker() for _ in range(2)]
    process = start_sweep(**{ADDRESS: cluster.address})
    for count, worker in enumerate(workers, start=2):
        wait_for_blocks(process, 2 * count)
        worker.kill()
    printed, _ = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, "")
    assert outputs() == expected


def test_an_interrupted_sweep_goes_on_where_it_was(
    cluster: Cluster, expected: dict[str, bytes]
) -> None:
    write()
    process = start_sweep(**{ADDRESS: cluster.address})
    wait_for_blocks(process, 3)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert (process.returncode, printed) == (130, "")
    before = finished_blocks()
    assert sweep(**{ADDRESS: cluster.address}) == expected
    assert before.items() <= finished_blocks().items()


def test_workers_take_the_code_of_each_sweep(
    cluster: Cluster, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """They live on while an imported module changes, and changes back."""
    write()
    code = tmp_path / "code"
    shutil.copytree(ROOT / "stages", code / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    step, line = code / "stages" / "optim" / "sgd.py", "np.multiply(g, self._lr, scratch)"
    assert line in step.read_text()
    step.write_text(step.read_text().replace(line, f"{line}; scratch *= 2"))
    here = sweep(code, LOKY_MAX_CPU_COUNT="2")
    forget()
    assert sweep(code, **{ADDRESS: cluster.address}) == here != expected
    forget()
    assert sweep(**{ADDRESS: cluster.address}) == expected


def test_a_mistake_on_a_worker_is_one_line(cluster: Cluster) -> None:
    write(training__batch_size=71)
    line = only_line(start_sweep(**{ADDRESS: cluster.address}))
    assert line.startswith(f"params.yaml: tasks.{NAME}.training.batch_size: must be at most 70")


def test_workers_compute_as_this_machine_does(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have the same NumPy and kernels, and compute on one thread."""
    monkeypatch.setenv(ADDRESS, cluster.address)
    assert dict(finished(partial(np.multiply, 2), [1, 2, 3])) == {0: 2, 1: 4, 2: 6}
    with monkeypatch.context() as patch:
        patch.setattr(np, "__version__", "0.1")
        with pytest.raises(InputError, match=r"the same results need NumPy='0\.1'$"):
            list(finished(abs, [1]))
        patch.setenv("OPENBLAS_CORETYPE", "Nehalem")
        with pytest.raises(InputError, match=r"need OPENBLAS_CORETYPE='Nehalem', NumPy='0\.1'$"):
            list(finished(abs, [1]))
    set_threads(cluster, "2")
    try:
        with pytest.raises(InputError, match="with OMP_NUM_THREADS='2'; the same results"):
            list(finished(abs, [1]))
    finally:
        set_threads(cluster, "1")


def set_threads(cluster: Cluster, number: str) -> None:
    from distributed import Client

    def update() -> None:
        os.environ["OMP_NUM_THREADS"] = number

    with Client(cluster.address) as client:
        client.run(update)


def test_a_scheduler_that_is_gone_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler ends before its first worker has come."""
    write()
    monkeypatch.setattr(
        "small_sweeps.ALONE", f"from stages.sweeps import where; where.SECONDS = 1; {ALONE}"
    )
    with Cluster(tmp_path) as alone:
        process = start_sweep(**{ADDRESS: alone.address})
        assert process.stdout is not None
        waiting = f"{alone.address} has no workers yet: waiting for the first\n"
        assert process.stdout.readline() == waiting
    assert only_line(process) == f"{ADDRESS}: the scheduler at {alone.address} is gone"


def test_workers_that_are_lost_for_good_are_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they finished before has come."""
    monkeypatch.setattr(where, "SECONDS", 2)
    monkeypatch.setattr(where, "PATIENCE", 4)
    with Cluster(tmp_path) as alone:
        worker = alone.worker()
        monkeypatch.setenv(ADDRESS, alone.address)
        results = finished(time.sleep, [0.01, 0.01, 60])
        assert {next(results)[0], next(results)[0]} == {0, 1}
        capsys.readouterr()  # the worker may have come later than the work
        worker.kill()
        with pytest.raises(InputError) as caught:
            next(results)
    assert str(caught.value) == (
        f"{ADDRESS}: all workers of {alone.address} are gone, and none has come for 4 s; what is "
        "finished is kept: start some, and the same command goes on from there"
    )
    assert capsys.readouterr().err == (
        f"{alone.address} has no workers any more: waiting for a new one, for at most 4 s\n"
    )


# -------------------------------------------------------------------------------- nobody answers


@pytest.fixture
def listening() -> Iterator[tuple[str, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}", server


def refusal(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(ADDRESS, address)
    monkeypatch.setattr(where, "SECONDS", 0.5)
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        list(finished(abs, [1]))
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{ADDRESS}: no scheduler answers at {address} (")
    return message


@pytest.mark.parametrize("address", ["cluster", "tcp://", "ftp://127.0.0.1:1", "1:2:3"])
def test_an_invalid_address(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal(address, monkeypatch)


def test_nobody_listens(listening: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    address, server = listening
    server.close()
    assert "Timed out" in refusal(address, monkeypatch)


def test_a_server_that_is_silent(listening: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal(listening[0], monkeypatch)


def test_a_server_of_another_protocol(listening: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    address, server = listening

    def speak() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.6 and what follows it\r\n")
            connection.recv(100)

    thread = threading.Thread(target=speak)
    thread.start()
    refusal(address, monkeypatch)
    thread.join()


def test_a_worker_is_no_scheduler(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    with Client(cluster.address) as client:
        worker, *_ = client.nthreads()
    refusal(worker, monkeypatch)


def test_the_stage_ends_with_one_line() -> None:
    write()
    line = only_line(start_sweep(**{ADDRESS: "nowhere"}))
    assert line.startswith(f"{ADDRESS}: no scheduler answers at nowhere (missing port number")


def test_a_cluster_needs_distributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setenv(ADDRESS, "127.0.0.1:9")
    with pytest.raises(InputError) as caught:
        list(finished(abs, [1]))
    assert str(caught.value) == (
        f"{ADDRESS} names a cluster, but distributed is not installed: pip install distributed"
    )
