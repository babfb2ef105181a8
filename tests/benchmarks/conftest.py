"""Races between the twins, taken in turns in one process, and the table of all of them."""

import ctypes
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

Step = Callable[[], object]

ROUND = 0.05  # seconds that each side takes in a round, at least
PAUSE = 0.1  # seconds after which the threads of the side that has had its turn have gone to sleep


@dataclass
class Result:
    """A line of the table; seconds per step, and how often as fast as torch NumPy must be."""

    workload: str
    target: float | None
    numpy: list[float] = field(default_factory=list)
    torch: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def ratio(self) -> float:
        """The median over the rounds of torch's time by NumPy's in the same round."""
        return statistics.median(t / n for t, n in zip(self.torch, self.numpy, strict=True))


RESULTS: list[Result] = []


def set_threads(count: int) -> None:
    """The threads of torch and of NumPy's BLAS. Skips the benchmark where NumPy's has no switch."""
    torch.set_num_threads(count)
    libraries = Path(np.__file__).parents[1].glob("numpy.libs/*openblas*")
    for library in libraries:
        switch = getattr(ctypes.CDLL(str(library)), "scipy_openblas_set_num_threads64_", None)
        if switch is not None:
            switch(count)
            return
    if count > 1:
        pytest.skip("this NumPy brings no OpenBLAS whose threads could be set")


@pytest.fixture
def race(benchmark: BenchmarkFixture) -> Callable[..., Result]:
    """A function that times steps of both twins in turns and adds a line to the table."""

    def run(
        workload: str,
        numpy: Step,
        torch: Step,
        target: float | None = None,
        threads: int = 1,
        rounds: int = 40,
    ) -> Result:
        set_threads(threads)
        result = Result(workload, target)
        steps = max(1, round(ROUND / min(seconds(numpy, 1), seconds(torch, 1))))
        turns = [(numpy, result.numpy), (torch, result.torch)]

        def both() -> None:
            turns.reverse()  # neither always finds the other's data in the cache
            for step, times in turns:
                if threads > 1:  # OpenBLAS and OpenMP keep a core busy while they wait for work
                    time.sleep(PAUSE)
                times.append(seconds(step, steps))

        both()
        both()
        result.numpy.clear()
        result.torch.clear()
        benchmark.pedantic(both, rounds=rounds)
        benchmark.extra_info.update(ratio=result.ratio, target=target)
        RESULTS.append(result)
        set_threads(1)
        return result

    return run


def seconds(step: Step, steps: int) -> float:
    """The mean time of a step over several in a row."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not RESULTS:
        return
    terminalreporter.section(f"NumPy and torch, one step, {os.environ['KERNELS']} kernels")
    terminalreporter.write_line(
        f"{'workload':52}{'numpy µs':>11}{'torch µs':>11}{'ratio':>8}{'target':>8}"
    )
    for result in RESULTS:
        numpy, torch = (statistics.median(times) for times in (result.numpy, result.torch))
        target = "" if result.target is None else f"{result.target:g}"
        line = f"{result.workload:52}{numpy * 1e6:11.1f}{torch * 1e6:11.1f}{result.ratio:8.2f}"
        terminalreporter.write_line(f"{line}{target:>8}  {result.note}".rstrip())
