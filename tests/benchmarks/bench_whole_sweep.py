"""The default sweep of the classifier as a whole, beside loops over trainings in torch and sklearn.

The peers train a sample of the runs, and their time is extrapolated to all of them. Needs the data:
dvc repro split.
"""

import time
import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from joblib import Parallel, delayed
from pytest_benchmark.fixture import BenchmarkFixture
from repository import ROOT

from stages.reference.eager import import_compiler_on_demand
from stages.sweeps.blocks import Block, blocks, train
from stages.sweeps.repeated_torch import losses
from stages.sweeps.where import finished
from stages.task.files import Files
from stages.task.parameters import read_parameters
from stages.task.table import read_table

NAME = "classification"
SAMPLE = 44  # trainings of a peer
LINES: list[str] = []


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(ROOT)
    if not Files(NAME).train.exists():
        pytest.skip("there are no samples; run dvc repro split")
    yield
    print("\n".join(["", *LINES]))
    LINES.clear()


def planned() -> list[Block]:
    parameters = read_parameters()
    sweep, first = parameters.sweeps[NAME], parameters.tasks[NAME].training.seed
    return list(blocks(sweep.swept, range(first, first + sweep.seeds), first))


def seconds(processes: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Of all blocks, processes started before."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", str(processes))
    task, files = read_parameters().tasks[NAME], Files(NAME)
    tables = {"train": read_table(files.train), "test": read_table(files.test)}
    work = partial(train, task=NAME, model=task.model, training=task.training, tables=tables)
    items = planned()
    list(finished(work, items[: 2 * processes]))
    start = time.perf_counter()
    assert len(list(finished(work, items))) == len(items)
    return time.perf_counter() - start


def of_torch() -> float:
    """A training in torch eager, in seconds; one process, one thread."""
    import_compiler_on_demand()
    sample = planned()[:: len(planned()) // SAMPLE][:SAMPLE]
    runs = [
        [
            block.optimizer,
            {axis: float(values[0]) for axis, values in block.points.items()},
            block.seed,
        ]
        for block in sample
    ]
    parameters = read_parameters()
    task = parameters.tasks[NAME]
    sections = {"model": task.model, "training": task.training, "sweep": parameters.sweeps[NAME]}
    given = {"task": NAME} | {name: each.model_dump() for name, each in sections.items()}
    losses(given | {"runs": runs[:2]}, {})
    start = time.perf_counter()
    losses(given | {"runs": runs}, {})
    return (time.perf_counter() - start) / len(runs)


def of_sklearn() -> float:
    """A training by sklearn's MLPClassifier, in seconds, with joblib on two processes."""
    neural_network = pytest.importorskip("sklearn.neural_network")
    table, task = read_table(Files(NAME).train), read_parameters().tasks[NAME]

    def fit(rate: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that 100 epochs are not enough to converge
            neural_network.MLPClassifier(
                tuple(task.model.options["hidden"]),
                solver="adam",
                alpha=0,
                batch_size=len(table.target),
                learning_rate_init=rate,
                max_iter=task.training.epochs,
                tol=0,
                n_iter_no_change=task.training.epochs,
            ).fit(table.features, table.target)

    parallel = Parallel(n_jobs=2)
    parallel(delayed(fit)(0.01) for _ in range(4))
    start = time.perf_counter()
    parallel(delayed(fit)(rate) for rate in np.geomspace(0.001, 0.1, SAMPLE))
    return (time.perf_counter() - start) / SAMPLE


def test_the_default_sweep(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    count = sum(len(block.rows) for block in planned())
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for processes in times:
            times[processes].append(seconds(processes, monkeypatch))
    one, two = (float(np.median(values)) for values in times.values())
    torch, sklearn = of_torch() * count, of_sklearn() * count
    LINES.extend(
        [
            f"{count} trainings: {two:.1f} s on two processes, {one:.1f} s on one: "
            f"{one / two:.2f}x (target 1.8)",
            f"a loop in torch, one process: {torch:.0f} s, {torch / one:.0f}x (from {SAMPLE})",
            f"MLPClassifier, two processes: {sklearn:.0f} s, {sklearn / two:.0f}x (from {SAMPLE})",
        ]
    )
    benchmark.pedantic(lambda: None)  # the times are in the lines
