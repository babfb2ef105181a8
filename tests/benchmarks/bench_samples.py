"""A full batch of a million samples, and the memory it takes beside the samples themselves."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from repository import ROOT
from steps import numpy_step, samples, torch_step

SIZES, COUNT = (2, 10, 2), 1_000_000
COMMON = ("relu", "cross_entropy", "float32")
OPTIMIZER = ("SGD", {"lr": 0.02})


def grow(twin: str) -> None:
    """Prints by how many KiB steps raise the peak of the process, and the KiB of the samples."""
    make = {"numpy": numpy_step, "torch": torch_step}[twin]
    few = samples(SIZES, *COMMON[1:], 1000)
    make(SIZES, *COMMON, *few, 1000, OPTIMIZER)()  # what is loaded and reserved at first use
    x, target = samples(SIZES, *COMMON[1:], COUNT)
    step = make(SIZES, *COMMON, x, target, COUNT, OPTIMIZER)
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is counted anew
    before = peak()
    step()
    step()
    print(peak() - before, (x.nbytes + target.nbytes) // 1024)


def peak() -> int:
    """The largest resident memory of this process so far, in KiB, as Linux tells it."""
    (line,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(line)


def growth(twin: str) -> tuple[float, float]:
    """MB by which a step raises the peak of the process, and MB of the samples."""
    done = subprocess.run(
        [sys.executable, __file__, twin],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        text=True,
        check=True,
    )
    step, data = map(int, done.stdout.split())
    return step / 1024, data / 1024


def test_a_million_samples(race: Callable[..., Any]) -> None:
    x, target = samples(SIZES, COMMON[1], COMMON[2], COUNT)
    numpy, torch = (
        make(SIZES, *COMMON, x, target, COUNT, OPTIMIZER) for make in (numpy_step, torch_step)
    )
    name = "2-10-2 relu, full batch of 1,000,000, SGD, float32"
    result = race(name, numpy, torch, target=3, rounds=15)
    if not Path("/proc/self/clear_refs").exists():
        return
    (ours, data), (theirs, _) = growth("numpy"), growth("torch")
    result.note = f"peak above {data:.0f} MB of samples: +{ours:.0f} MB, torch +{theirs:.0f} MB"


if __name__ == "__main__":
    grow(sys.argv[1])
