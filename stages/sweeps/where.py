"""Where blocks are trained: in processes of this machine, or on a Dask cluster.

The cluster is that whose scheduler the environment names in DASK_SCHEDULER_ADDRESS; on this machine
there is a process for each core, or as many as LOKY_MAX_CPU_COUNT says. What is computed does not
depend on where, nor on the order in which blocks are finished. A worker has to compute with the
same kernels, so it needs the settings of stages/__init__.py in its environment.
"""

import asyncio
import importlib
import io
import logging
import math
import os
import pickle
import signal
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed, parallel_config

from stages.reference.process import end_with
from stages.task.errors import InputError

Work = Callable[[Any], Any]
Numbered = tuple[int, Any]
Results = Generator[Numbered, None, None]

ADDRESS = "DASK_SCHEDULER_ADDRESS"
SETTINGS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")  # of NumPy's kernels
SECONDS = 10  # to wait for a scheduler that does not answer, or before a word about lost workers
PATIENCE = 600  # seconds to wait for a new worker after all are lost
STAGES = Path(__file__).parents[1]


def finished(work: Work, items: Sequence[Any]) -> Results:
    """The number of each item and what `work` makes of it, as they are finished.

    Raises InputError if the cluster that the environment names does not answer, or is lost, or if a
    process of this machine is killed.
    """
    address = os.environ.get(ADDRESS)
    if address and items:
        yield from _on_cluster(address, work, items)
    elif items:
        yield from _in_processes(work, items)


def _in_processes(work: Work, items: Sequence[Any]) -> Results:
    # Whoever interrupts this need not be warned of results that were not asked for, by joblib,
    # nor of semaphores that were not tidied away, by the process that tidies them away.
    warnings.filterwarnings("ignore", r"\d+ tasks")
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")
    with parallel_config(
        "loky",
        n_jobs=min(cpu_count(), len(items)),
        inner_max_num_threads=1,  # with more, the last bits of large products are others
        initializer=end_with,  # without it they live on for a while when this one is killed
        initargs=(os.getpid(),),
    ):
        # one item at a time: its result is here as soon as it is there
        parallel = Parallel(batch_size=1, return_as="generator_unordered")
    calls = (delayed(_numbered)(work, number, item) for number, item in enumerate(items))
    with _ignoring_interrupts():  # as do the processes that start here: this one ends them
        results = parallel(calls)
    try:
        yield from results
    except BrokenProcessPool:
        raise InputError(
            "a process that computes was killed, perhaps for want of memory; what is finished is "
            "kept, and the same command goes on from there"
        ) from None


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _numbered(work: Work, number: int, item: Any) -> Numbered:
    return number, work(item)


# --------------------------------------------------------------------------------- on a cluster


def _on_cluster(address: str, work: Work, items: Sequence[Any]) -> Results:
    with _client(address) as client:
        import dask
        from distributed import CancelledError, KilledWorker

        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"})
        # What all items need is the result of a task: a worker is sent it once, and if all who
        # have it are lost, it is computed again.
        shared = client.submit(tuple, [_archive(), pickle.dumps(work)])
        needed = {name: os.environ.get(name, "") for name in SETTINGS}
        call = _call_on_worker(needed | {"OMP_NUM_THREADS": "1", "NumPy": np.__version__})
        pickled = [pickle.dumps(item) for item in items]
        tasks = client.map(call, range(len(items)), pickled, shared=shared, pure=False)
        try:
            for task in _completed(client, tasks, address):
                yield task.result()
        except CancelledError:
            raise InputError(f"{ADDRESS}: the scheduler at {address} is gone") from None
        except KilledWorker as error:
            raise InputError(f"{ADDRESS}: {error}") from None


def _completed(client: Any, tasks: Sequence[Any], address: str) -> Iterator[Any]:
    """The tasks as they are completed; says where they wait for workers.

    Workers that have not come yet may stand in the queue of a cluster for long, and are waited for.
    Raises InputError if there were some, and none is left and none comes in PATIENCE seconds.
    """
    from distributed import as_completed

    seen, told = time.monotonic(), False  # when there was a worker
    if not _has_workers(client):
        print(f"{address} has no workers yet: waiting for the first", file=sys.stderr)
        seen = math.inf
    unfinished = as_completed(tasks)
    while not unfinished.is_empty():
        due = time.monotonic() + 1
        while not unfinished.has_ready() and time.monotonic() < due:
            time.sleep(0.01)
        ready = unfinished.next_batch(block=False)
        yield from ready
        if ready or _has_workers(client):
            seen, told = time.monotonic(), False
        elif (missing := time.monotonic() - seen) > PATIENCE:
            raise InputError(
                f"{ADDRESS}: all workers of {address} are gone, and none has come for "
                f"{PATIENCE} s; what is finished is kept: start some, and the same command goes on "
                "from there"
            )
        elif missing > SECONDS and not told:
            told = True
            waiting = f"waiting for a new one, for at most {PATIENCE} s"
            print(f"{address} has no workers any more: {waiting}", file=sys.stderr)


def _has_workers(client: Any) -> bool:
    try:
        return bool(client.nthreads())
    except OSError:  # where the scheduler is gone, the tasks say so
        return True


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """A connection to the scheduler. Raises InputError if there is none."""
    try:
        from distributed import Client
        from distributed.comm.core import connect
        from distributed.security import Security
    except ModuleNotFoundError:
        raise InputError(
            f"{ADDRESS} names a cluster, but distributed is not installed: pip install distributed"
        ) from None

    async def greet() -> None:
        connection = await connect(address, SECONDS, **Security().get_connection_args("client"))
        await connection.close()

    try:
        # A client waits forever for one that listens but does not answer. `connect` limits only
        # the connection, the answer to it has as long again.
        asyncio.run(asyncio.wait_for(greet(), 2 * SECONDS))
        client = Client(address, timeout=SECONDS)
    except Exception as error:  # there are many, if something else answers
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{ADDRESS}: no scheduler answers at {address} ({reason})") from None
    logging.disable()  # what goes wrong is an exception, too
    try:
        with client:
            yield client
    finally:
        logging.disable(logging.NOTSET)


def _archive() -> bytes:
    """A zip file of the package `stages`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(STAGES.rglob("*.py")):
            archive.write(path, path.relative_to(STAGES.parent))
    return content.getvalue()


def _call_on_worker(needed: Mapping[str, str]) -> Callable[..., Numbered]:
    """What a worker calls; a local function is sent itself, not by a name that only we know.

    needed: the version of NumPy, and what the environment says by name, for the same results
    """

    def call(number: int, pickled: bytes, shared: tuple[bytes, bytes]) -> Numbered:
        from dask.utils import SerializableLock
        from distributed import get_worker

        archive, work = shared
        root = Path(get_worker().local_directory, f"stages-{sha256(archive).hexdigest()}")
        # One at a time in a process: they share its modules, and threads are slower.
        with SerializableLock("stages"):
            loaded = sys.modules.get("stages")
            if getattr(loaded, "__file__", None) != str(root / "stages" / "__init__.py"):
                # A worker lives longer than this code: it may have another version, or none.
                zipfile.ZipFile(io.BytesIO(archive)).extractall(root)
                for name in [name for name in sys.modules if name.partition(".")[0] == "stages"]:
                    del sys.modules[name]
                sys.path.insert(0, str(root))
                importlib.invalidate_caches()
            there = {name: os.environ.get(name, "") for name in needed}
            there |= {"NumPy": np.__version__}
            there |= {
                "OMP_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", there["OMP_NUM_THREADS"])
            }
            if others := [name for name in needed if there[name] != needed[name]]:
                has, needs = (
                    ", ".join(f"{name}={of[name]!r}" for name in others) for of in (there, needed)
                )
                raise importlib.import_module("stages.task.errors").InputError(
                    f"{get_worker().address}: the worker was started with {has}; the same results "
                    f"need {needs}"
                )
            return number, pickle.loads(work)(pickle.loads(pickled))

    return call
