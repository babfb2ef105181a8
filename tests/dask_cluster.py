"""A Dask cluster in processes of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from stages.sweeps.where import SETTINGS

DASK = Path(sys.executable).with_name("dask")


class Cluster:
    """A scheduler and workers as users start them, in a folder that knows nothing of us.

    They find neither this Python nor this repository on their paths.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        own = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1"}
        own |= {name: os.environ[name] for name in SETTINGS if name in os.environ}
        self._environment = own | environment
        self._processes: list[subprocess.Popen[bytes]] = []
        self._run("scheduler", "--port", "0")
        deadline = time.monotonic() + 30
        while not (self._file.exists() and self._file.read_text()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.02)
        self.address = json.loads(self._file.read_text())["address"]

    def _run(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        common = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self._file)]
        process = subprocess.Popen(
            [DASK, kind, *common, *options],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def worker(self, threads: int = 1) -> subprocess.Popen[bytes]:
        return self._run("worker", "--no-nanny", "--nthreads", str(threads))

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
