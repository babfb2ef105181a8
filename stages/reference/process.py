"""Work for torch in a process of its own: beside this one, and with an arithmetic of its own.

torch chooses its kernels once, so one process cannot compare two choices. Whoever needs torch only
this way never imports it. A module to be started so ends with

    if __name__ == "__main__":
        answer(work)

and is started by its name, as `start("stages.reference.<module>", ...)`, which counts as an import
of it: tests/test_pipeline.py reads it there.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from numpy.typing import NDArray

from stages.task.errors import InputError, in_words
from stages.task.files import read_tensors, write_file, write_tensors

ROOT = Path(__file__).resolve().parents[2]

# What the two sides hand each other lies in one folder.
SETTINGS, ARRAYS = "settings.json", "arrays.safetensors"
RESULTS, MISTAKE = "results.safetensors", "mistake.txt"

Arrays = Mapping[str, NDArray[Any]]


class Process:
    """A process at work, see `start`."""

    def __init__(self, module: str, folder: Path, process: subprocess.Popen[str]) -> None:
        self._module, self._folder, self._process = module, folder, process

    def result(self) -> Arrays:
        """Waits for the end of the work and returns its arrays, by name; to be called once.

        Raises InputError if the work does, if it cannot write its results, or if the process is
        killed, and RuntimeError with the traceback of any other error.
        """
        _, printed = self._process.communicate()
        mistake, code = self._folder / MISTAKE, self._process.returncode
        if mistake.exists():
            raise InputError(mistake.read_text())
        if code < 0:
            how = signal.Signals(-code).name
            raise InputError(f"{self._module} was killed by {how}, perhaps for want of memory")
        if code != 0:
            raise RuntimeError(f"{self._module} ended with exit code {code}:\n{printed.rstrip()}")
        sys.stderr.write(printed)  # warnings
        return read_tensors(self._folder / RESULTS)


@contextmanager
def start(
    module: str, arithmetic: Literal["ieee", "native"], settings: object, arrays: Arrays
) -> Iterator[Process]:
    """Lets the work of a module begin, and ends it with the block if it is still going on.

    arithmetic: "ieee" for torch's kernels without fused multiply-adds (its square root is left to
        stages/reference/ieee.py), "native" for the kernels that torch chooses for this processor
    settings: what JSON can hold; floats arrive bit for bit
    arrays: by name; they arrive in C order, and so do the results
    """
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    environment.setdefault("OMP_NUM_THREADS", "1")  # as in stages/__init__.py
    environment.pop("ATEN_CPU_CAPABILITY", None)
    if arithmetic == "ieee":
        environment["ATEN_CPU_CAPABILITY"] = "default"
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_file(folder / SETTINGS, json.dumps(settings).encode())
        write_tensors(folder / ARRAYS, arrays)
        with subprocess.Popen(
            [sys.executable, "-m", module, name, str(os.getpid())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Process(module, folder, process)
            finally:
                process.kill()  # one that has ended takes no notice


def end_with(parent: int) -> None:
    """Has this process end a second after its parent, which may be killed, whatever it is doing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def answer(work: Callable[[Any, Arrays], Arrays]) -> None:
    """The other side of `start`: hands back what `work(settings, arrays)` returns."""
    gc.freeze()  # until here stages/__init__.py has disabled it
    gc.enable()
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    end_with(parent)
    settings = json.loads((folder / SETTINGS).read_text())
    try:
        write_tensors(folder / RESULTS, work(settings, read_tensors(folder / ARRAYS)))
    except (InputError, OSError) as error:
        write_file(folder / MISTAKE, in_words(error).encode())
