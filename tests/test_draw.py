"""The stage `draw`, on files as the stages before it write them."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from networks import mlp
from pictures import assert_is_for_readme, assert_same_bytes
from PIL import Image

from stages.draw import main
from stages.figures.tasks.learned import read_results
from stages.task.files import TWINS, Files, write_history, write_tensors
from stages.task.parts import Split
from stages.task.source import Generator
from stages.task.table import Table, write_table

DATA = Generator(source="stages/samples/line.py", options={"slope": 1, "intercept": 0}, seed=1)
SPLIT = Split(test=20, seed=1, standardize=False)
PICTURES = ("fit.png", "graph.png", "graph.svg", "learning.gif", "learning.png", "loss.png")
LABELS = ("setosa", "versicolor", "virginica")


def draw(loss: str, hidden: tuple[int, ...] = (), activation: str = "relu") -> None:
    main("toy", DATA, SPLIT, mlp(hidden, activation, loss))


def write_results(
    name: str,
    features: int = 1,
    classes: tuple[str, ...] | None = None,
    hidden: tuple[int, ...] = (),
    snapshots: int = 5,
    diverged: bool = False,
    samples: int = 60,
    tests: int = 20,
    scale: float = 1.0,
) -> None:
    """Writes the files that `draw` reads, of a training that only pretends to learn."""
    random = np.random.default_rng(0)
    files = Files(name)
    for path, count in ((files.train, samples), (files.test, tests)):
        x = random.normal(size=(count, features))
        target = x.sum(axis=1) if classes is None else random.integers(0, len(classes), count)
        names = [f"feature {index} (cm)" for index in range(features)]
        write_table(path, Table(x, target, names, "price ($)", classes))

    sizes = [features, *hidden, 1 if classes is None else len(classes)]
    steps = np.linspace(0, 40, snapshots).round().astype(np.int64)
    parameters = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
        for part, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            start, end = random.normal(size=(2, *shape))
            way = np.linspace(0, 1, snapshots).reshape(-1, *[1] * len(shape))
            parameters[f"{2 * layer}.{part}"] = scale * (start + way * (end - start))
    losses = np.geomspace(10, 0.1, 5).tolist()
    if diverged:
        parameters["0.weight"][snapshots // 2] = 1e300
        parameters["0.weight"][snapshots // 2 + 1 :] = np.nan
        losses = [1.0, 1e100, 1e200, 1e300, math.nan]
    for twin in TWINS:
        tensors = {
            key: array * (1 if twin == "numpy" else 1 + 1e-15) for key, array in parameters.items()
        }
        write_tensors(files.snapshots[twin], {**tensors, "step": steps})
        history = {"epoch": [0, 1, 2, 3, 4], "step": [0, 10, 20, 30, 40]}
        accuracies = [0.3, 0.5, 0.7, 0.8, math.nan if diverged else 0.9]
        for part in ("train", "test") if tests else ("train",):
            history |= {f"{part}_loss": losses}
            history |= {f"{part}_accuracy": accuracies} if classes else {}
        write_history(files.history[twin], history)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("tests", [20, 0])
@pytest.mark.parametrize(
    ("features", "classes", "hidden"),
    [(1, None, ()), (3, None, (4,)), (2, LABELS, (5, 5)), (4, LABELS, (4,))],
    ids=["line", "measured", "regions", "confusion"],
)
def test_every_kind_of_task_has_the_same_pictures(
    features: int, classes: tuple[str, ...] | None, hidden: tuple[int, ...], tests: int
) -> None:
    write_results("toy", features, classes, hidden, tests=tests)
    draw("half_mse" if classes is None else "cross_entropy", hidden)
    plots = Files("toy").plots
    assert sorted(path.name for path in plots.iterdir() if path.suffix != ".csv") == sorted(
        PICTURES
    )
    for name in PICTURES:
        if name.endswith(".png"):
            assert_is_for_readme(plots / name)
    with Image.open(plots / "learning.gif") as animation:
        assert animation.n_frames == 5


@pytest.mark.parametrize("classes", [None, LABELS], ids=["number", "classes"])
def test_a_training_that_diverged_is_drawn(classes: tuple[str, ...] | None) -> None:
    # Warnings are errors in these tests.
    write_results("toy", 1 if classes is None else 2, classes, (4,), diverged=True)
    loss = "half_mse" if classes is None else "cross_entropy"
    draw(loss, (4,), "tanh")
    assert read_results("toy", mlp((4,), "tanh", loss)).diverged == "diverged at step 40"
    assert all((Files("toy").plots / name).exists() for name in PICTURES)


def test_a_training_with_one_snapshot_is_drawn() -> None:
    write_results("toy", 1, snapshots=1)
    draw("half_mse")
    with Image.open("plots/toy/learning.gif") as animation:
        assert animation.n_frames == 1


def test_the_same_results_are_the_same_bytes() -> None:
    write_results("toy", 1, snapshots=2)
    paths = [Files("toy").plots / name for name in PICTURES]
    assert_same_bytes(lambda: draw("half_mse"), paths)


def test_an_animation_of_many_frames_and_samples_is_small() -> None:
    write_results("toy", 2, LABELS, (8, 8), snapshots=51, samples=5000, scale=1.5)
    draw("cross_entropy", (8, 8), "tanh")
    path = Files("toy").plots / "learning.gif"
    with Image.open(path) as animation:
        assert animation.n_frames == 51
        assert animation.info["loop"] == 0
    assert path.stat().st_size < 500_000
