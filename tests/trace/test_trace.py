"""A step of the line by numbers, against the same step written out here."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from repository import ROOT

from stages import generate, split
from stages.optim import SGD, Adam
from stages.task.command import read_section, run
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import read_parts
from stages.task.training import Training
from stages.trace.arithmetic import Notes
from stages.trace.step import Step, take
from stages.trace.step_torch import work
from stages.trace.text import shown, written
from stages.training.plan import plan
from stages.training.start import start

TASKS = yaml.safe_load((ROOT / "params.yaml").read_text())["tasks"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data of two tasks."""
    folder = tmp_path_factory.mktemp("trace")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "stages").symlink_to(ROOT / "stages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for task in ("regression", "classification"):
            for stage in (generate, split):
                run(stage.main, [task])
    return folder


def step_of(task: str, number: int, sample: int = 1) -> Step:
    model = read_section(Model, "tasks", task, "model")
    training = read_section(Training, "tasks", task, "training")
    name = TASKS[task]["optimizer"]
    optimizer = selected(name, TASKS[task]["optimizers"]), "params.yaml"
    return take(task, model, training, optimizer, number, sample)


def test_the_second_step_of_the_line_is_what_a_pocket_calculator_gives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    table = read_parts(Files("regression"))["train"]
    training = read_section(Training, "tasks", "regression", "training")
    model = read_section(Model, "tasks", "regression", "model")
    begin = start(model, training.seed, table).parameters
    w, b = begin["0.weight"].item(), begin["0.bias"].item()
    velocity = np.zeros(2)
    for batch in next(plan("regression", training, table).epochs)[:2]:
        x, y = table.features[batch, 0], table.target[batch]
        error = w * x + b - y
        gradient = np.array([np.mean(error * x), np.mean(error)])
        before = w
        old, velocity = velocity, 0.6 * velocity + gradient
        w, b = w - 0.03 * velocity[0], b - 0.03 * velocity[1]

    lines = list(written(step_of("regression", 2), work({"task": "regression", "step": 2}, {})))
    cells = {row[0]: row[1:] for line in lines[3:] if (row := line.split())}
    assert float(cells["half_mse"][-1]) == pytest.approx(np.mean(error**2) / 2, rel=1e-6)
    assert float(cells["∂add"][-1]) == pytest.approx(error[0] / 100, rel=1e-6)
    text = "\n".join(lines)
    g, v = gradient[0], velocity[0]
    assert f"  {old[0]:.7g} · momentum 0.6 = {0.6 * old[0]:.7g}" in lines
    assert f"  p {before:.7g} - ({0.03 * v:.7g}) = {w:.7g}" in lines
    assert f"g {g:.7g} · 1 = {g:.7g}" in text
    assert f"∂transpose  = x.T @ ∂matmul                             = {g:.7g}" in text
    assert f"matmul(x, transpose)   = matmul({x[0]:.7g}, {before:.7g})" in text
    ours, theirs = cells["loss"][:2]
    assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


def test_what_is_kept_is_what_the_training_computes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    one, other = step_of("classification", 3), step_of("classification", 4, sample=2)
    for name, array in one.after.items():
        assert array.tobytes() == other.before[name].tobytes()
    lr = TASKS["classification"]["optimizers"]["sgd"]["lr"]
    gradients = {node.name: array[0] for node, array in one.gradients.items()}
    for name, array in one.before.items():
        np.testing.assert_array_equal(array - lr * gradients[name], one.after[name])
    alone = [step_of("classification", 3, sample=n).alone["2.bias"] for n in (1, 2)]
    assert not np.array_equal(*alone)


@pytest.mark.parametrize(
    ("number", "sample", "message"),
    [
        (0, 1, "--step: must be at least 1, got 0"),
        (101, 1, "--step: must be at most 100, got 101"),
        (1, 0, "--sample: must be from 1 to 100, the batch; got 0"),
        (1, 101, "--sample: must be from 1 to 100, the batch; got 101"),
    ],
)
def test_a_step_or_a_sample_that_is_not_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, sample: int, message: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError) as error:
        step_of("regression", number, sample)
    assert str(error.value) == message


def test_an_optimizer_that_is_watched_computes_the_same_bits() -> None:
    random = np.random.default_rng(0)
    parameters, gradients = random.normal(size=(2, 5))
    watched = parameters.copy()
    notes = Notes(1, 5, {"lr": 0.1})
    ours, theirs = Adam(lr=0.1), Adam(lr=0.1)
    for _ in range(3):
        ours(parameters, gradients)
        theirs(notes.watch(watched, "p"), notes.watch(gradients, "g"))
        notes.listens = True
    assert parameters.tobytes() == watched.tobytes()
    assert notes.lines[-1].endswith(f"= {parameters[1]:.7g}")
    assert any(line.startswith(f"g {gradients[1]:.7g}") for line in notes.lines)


def test_the_notes_have_numbers_and_names() -> None:
    notes = Notes(0, 2, {"lr": 0.5})
    notes.listens = True
    parameters, gradients = np.array([1.0, 2.0]), np.array([-4.0, 8.0])
    SGD(lr=0.5)(notes.watch(parameters, "p"), notes.watch(gradients, "g"))
    assert notes.lines == ["g -4 · lr 0.5 = -2", "p 1 - (-2) = 3"]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(0.1234567891), "0.1234568"),
        (np.array([[2]]), "2"),
        (np.arange(3.0), "[0, 1, 2]"),
        (np.arange(8.0), "[0, 1, 2, …] 8, mean 3.5, from 0 to 7"),
        (
            np.arange(24.0).reshape(2, 3, 4),
            "[[0, 1, 2, …], [4, 5, 6, …], …] 2 × 3 × 4, mean 11.5, from 0 to 23",
        ),
    ],
)
def test_an_array_is_shown_whole_or_as_a_corner(array: np.ndarray, text: str) -> None:
    assert shown(array) == text
