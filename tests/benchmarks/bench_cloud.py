"""Trainings of ordinary tables: is a right twin ever outside the cloud, and a wrong one inside?

The tables are scikit-learn's, some numbers around 100,000, and those of the tasks, for which dvc
repro split is needed; models, optimizers and hyperparameters are drawn. TRAININGS in the
environment says how many there are, each of a second or some.
"""

import os
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from clouds import MISTAKES, Case, apart, by_hand, in_torch
from networks import mlp
from pytest_benchmark.fixture import BenchmarkFixture
from repository import ROOT

from stages.proofs.claims import CLOUD
from stages.split import standardize
from stages.task import hyperparameters
from stages.task.files import Files
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table, read_table
from stages.task.training import Training

TRAININGS = int(os.environ.get("TRAININGS", "22"))
SAMPLES = 240  # of a table, at most
STEPS = (50, 600)  # of a training; of LBFGS, whose steps are many in one, a tenth

OF_TASKS = ("regression", "classification", "moons")
NUMBERS = ("diabetes", "digits as numbers", "around 100,000")  # the target is no class
CLASSES = ("iris", "wine", "breast_cancer", "digits", "digits 0 and 1")
TABLES = (*OF_TASKS, *NUMBERS, *CLASSES)

# The learning rates to draw from: up to where some trainings are chaotic.
RATES = {
    **dict.fromkeys(["Adam", "AdamW", "Adamax", "NAdam", "RAdam"], (0.001, 0.1)),
    **dict.fromkeys(["RMSprop", "Rprop"], (0.001, 0.03)),
    **dict.fromkeys(["Adagrad", "Adafactor"], (0.01, 0.3)),
    **dict.fromkeys(["SGD", "ASGD"], (0.001, 0.3)),
    "Adadelta": (0.3, 3),
    "LBFGS": (0.1, 1),
}


def table_of(name: str, random: np.random.Generator) -> Table:
    """Some of the samples of the table of that name."""
    if name in OF_TASKS:
        return some(read_table(Files(name).train), random)
    if name == "around 100,000":
        x = random.normal(size=(random.integers(16, 51), 6))
        noise = random.normal(size=len(x))
        return numbered(x, 1e5 + 2e4 * x @ random.normal(size=6) + 5e3 * noise)
    base, *kind = name.split(" ", 1)
    data = getattr(pytest.importorskip("sklearn.datasets"), f"load_{base}")()
    x, target = data.data.astype(float), data.target
    if kind == ["0 and 1"]:
        x, target = x[target < 2], target[target < 2]
    if name in NUMBERS:
        return some(numbered(x, target.astype(float)), random)
    table = numbered(x, target.astype(np.int64))
    classes = [str(label) for label in range(target.max() + 1)]
    return some(Table(x, table.target, table.feature_names, "y", classes), random)


def numbered(x: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> Table:
    return Table(x, target, [f"x{number}" for number in range(x.shape[1])], "y")


def some(table: Table, random: np.random.Generator) -> Table:
    return table.rows(random.permutation(len(table.target))[:SAMPLES])


def drawn(number: int) -> Case:
    random = np.random.default_rng([2, number])
    name = TABLES[number % len(TABLES)]
    table = table_of(name, random)
    scaled = random.random() < 0.75 or name in OF_TASKS
    if scaled and name not in OF_TASKS:
        table, _ = standardize(table, table)
    optimizer = optimizer_of(list(RATES)[random.integers(len(RATES))], scaled, random)
    hidden = [[], [8], [10], [32], [16, 16]][random.integers(5)]
    activation = random.choice(["relu", "tanh", "sigmoid"])
    loss = "half_mse" if table.classes is None else "cross_entropy"
    start = "torch_linear" if hidden else random.choice(["torch_linear", "uniform01"])
    dtype = "float32" if random.random() < 0.25 else "float64"
    model = mlp(hidden, activation, loss, dtype, start)
    samples = len(table.target)
    size = min(int(random.choice([16, 32, SAMPLES])), samples)
    steps = random.integers(*STEPS) // (10 if isinstance(optimizer, hyperparameters.LBFGS) else 1)
    training = Training(
        epochs=max(2, int(steps) // -(-samples // size)),
        batch_size=size if size < samples else "full",
        seed=int(random.integers(1000)),
    )
    return Case(table, model, training, optimizer, 1e-9 if model.dtype == "float64" else 1e-3)


def optimizer_of(name: str, scaled: bool, random: np.random.Generator) -> Hyperparameters:
    low, high = RATES[name]
    given: dict[str, Any] = {"lr": float(low * (high / low) ** random.random())}
    if not scaled and name in ("SGD", "ASGD", "LBFGS"):
        given["lr"] *= 1e-4  # else nearly all diverge
    if name == "SGD":
        given["momentum"] = float(random.choice([0, 0.6, 0.9]))
        given["nesterov"] = bool(given["momentum"] and random.random() < 0.5)
    if name == "LBFGS":
        given |= {"max_iter": 4, "line_search_fn": random.choice([None, "strong_wolfe"])}
    elif name != "Rprop" and random.random() < 0.6:
        given["weight_decay"] = float(10 ** random.uniform(-5, -2))
    kind: type[Hyperparameters] = getattr(hyperparameters, name)
    return kind(**given)


def measured(case: Case) -> dict[str, float]:
    """How many radii away the torch twin is: a right one by the name "", the others by mistake."""
    ours, around = by_hand(case)
    return {
        mistake: apart(ours, in_torch(case, mistake), around) for mistake in ("", *case.mistakes())
    }


def lines(found: dict[str, list[dict[str, float]]]) -> list[str]:
    """A table in Markdown, a row for each group of trainings."""
    head = ["", "trainings", "false alarms", "radii at most", *MISTAKES]
    rows = [head, ["---"] * len(head)]
    for name, group in found.items():
        right = [radii[""] for radii in group]
        row = [name, len(group), sum(radii > CLOUD for radii in right), f"{max(right):.2g}"]
        for mistake in MISTAKES:
            wrong = [radii[mistake] for radii in group if mistake in radii]
            row.append(f"{sum(radii > CLOUD for radii in wrong)} of {len(wrong)}")
        rows.append(row)
    return [f"| {' | '.join(map(str, row))} |" for row in rows]


@pytest.mark.usefixtures("one_thread")
def test_the_cloud(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if not all(Files(name).train.exists() for name in OF_TASKS):
        pytest.skip("there are no samples; run dvc repro split")
    by_table, by_optimizer = defaultdict(list), defaultdict(list)

    def measure() -> None:
        for number in range(TRAININGS):
            case = drawn(number)
            radii = measured(case)
            single = case.model.dtype == "float32"
            by_table["all in float32" if single else TABLES[number % len(TABLES)]].append(radii)
            if not single:
                by_optimizer[type(case.optimizer).__name__].append(radii)

    benchmark.pedantic(measure)
    order = [*TABLES, "all in float32"]
    for found in ({name: by_table[name] for name in order if by_table[name]}, by_optimizer):
        print("\n".join(["", *lines(found)]))
    assert all(radii[""] <= CLOUD for group in by_table.values() for radii in group)
