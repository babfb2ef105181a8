"""The metrics of both twins."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from repository import ROOT
from trainings import call, task_like, train, write_samples

from stages import evaluate
from stages.proofs.claims import CLOUD
from stages.reference.losses import LOSSES
from stages.split import standardize_target
from stages.task.files import Files, write_history, write_tensors
from stages.task.table import Table, read_table, write_table

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

QUALITY = {"train_loss", "test_loss", "diverged_step"}
DRIFT = {"parameters", "parameters_ulp", "loss", "cloud"}


def strict_json(text: str) -> dict[str, Any]:
    """Parses JSON by the standard, which has no NaN."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def evaluated(name: str, task: Any) -> dict[str, Any]:
    call(evaluate.main, name, task)
    return strict_json(Files(name).metrics.read_text())


def trained(name: str, task: Any) -> dict[str, Any]:
    for twin in ("numpy", "torch"):
        train(twin, name, task)
    return evaluated(name, task)


def names(metrics: dict[str, Any]) -> dict[str, set[str]]:
    return {section: set(values) for section, values in metrics.items()}


def test_the_metrics_of_a_line() -> None:
    write_samples("line", train=1000, test=100, features=1)
    metrics = trained("line", task_like("regression"))
    twin = QUALITY | {"test_r2", "weight", "bias"}
    assert names(metrics) == {
        "numpy": twin,
        "torch": twin,
        "drift": DRIFT,
        "least_squares": {"test_loss", "excess_loss"},
    }
    assert metrics["drift"]["parameters"] <= 1e-12
    assert metrics["numpy"]["diverged_step"] == metrics["torch"]["diverged_step"] == 0


def test_the_metrics_of_a_linear_model_of_several_features() -> None:
    write_samples("plane", train=200, test=50, features=3)
    metrics = trained("plane", task_like("regression", training__batch_size=50))
    assert set(metrics["numpy"]) == QUALITY | {"test_r2"}
    assert set(metrics["least_squares"]) == {"test_loss", "excess_loss"}


def test_the_metrics_of_a_network_for_numbers() -> None:
    write_samples("curve", train=50, test=20, features=1)
    task = task_like("regression", model__options__hidden=[4], training__batch_size=10)
    twin = QUALITY | {"test_r2"}
    assert names(trained("curve", task)) == {"numpy": twin, "torch": twin, "drift": DRIFT}


@pytest.mark.parametrize("hidden", [[], [5]])
def test_the_metrics_of_classes(hidden: list[int]) -> None:
    write_samples("classes", train=60, test=20, features=1, classes=3)
    task = task_like("moons", model__options__hidden=hidden, training__epochs=3)
    twin = QUALITY | {"train_accuracy", "test_accuracy"}
    assert names(trained("classes", task)) == {"numpy": twin, "torch": twin, "drift": DRIFT}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_metrics_of_a_standardized_target_are_in_its_own_units(dtype: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 1))
    target = 2e5 + 3e4 * x[:, 0] + 1e3 * random.normal(size=80)
    whole = Table(x, target, ["x"], "price")
    train_part, test = standardize_target(
        "t", whole.rows(np.arange(50)), whole.rows(50 + np.arange(30))
    )
    write_table(Files("line").train, train_part)
    write_table(Files("line").test, test)
    task = task_like("regression", training__epochs=200, training__batch_size=50)
    task = task.model_copy(update={"model": task.model.model_copy(update={"dtype": dtype})})
    metrics = trained("line", task)
    for twin in ("numpy", "torch"):
        quality = metrics[twin]
        assert quality["weight"] == pytest.approx(3e4, rel=0.02)
        assert quality["bias"] == pytest.approx(2e5, rel=0.01)
        for part, rows in (("train", slice(50)), ("test", slice(50, None))):
            error = quality["weight"] * x[rows, 0] + quality["bias"] - target[rows]
            expected = np.mean(error**2) / 2
            assert quality[f"{part}_loss"] == pytest.approx(expected, rel=1e-3)
        assert quality["test_r2"] == pytest.approx(1 - 2 * expected / target[50:].var(), rel=1e-6)
        assert quality["test_r2"] > 0.99
    assert metrics["least_squares"]["excess_loss"] == pytest.approx(0, abs=1e-3)
    assert metrics["drift"]["loss"] < (1e-12 if dtype == "float64" else 1e-3)


@pytest.mark.parametrize(("like", "classes"), [("regression", 0), ("classification", 3)])
def test_where_all_samples_train_there_are_no_metrics_of_a_test(like: str, classes: int) -> None:
    write_samples("all", train=60, test=0, features=1, classes=classes)
    metrics = trained("all", task_like(like, training__batch_size="full"))
    assert "train_loss" in metrics["numpy"]
    assert not any("test" in name for section in metrics.values() for name in section)
    assert 0 <= metrics["drift"]["loss"] < 1e-12


@pytest.mark.parametrize("features", [1, 3])
def test_least_squares_is_the_solution_of_the_normal_equations(features: int) -> None:
    write_samples("plane", train=40, test=15, features=features)
    task = task_like("regression", training__batch_size=20, training__epochs=2)
    metrics = trained("plane", task)

    def table(part: str) -> tuple[np.ndarray, np.ndarray]:
        read = read_table(getattr(Files("plane"), part))
        return np.column_stack([read.features, np.ones(len(read.target))]), read.target

    x, y = table("train")
    solution = np.linalg.solve(x.T @ x, x.T @ y)
    optimum = np.mean((x @ solution - y) ** 2) / 2
    x_test, y_test = table("test")
    expected = np.mean((x_test @ solution - y_test) ** 2) / 2
    assert metrics["least_squares"]["test_loss"] == pytest.approx(expected, rel=1e-10)
    worst = max(metrics[twin]["train_loss"] for twin in ("numpy", "torch"))
    excess = worst / optimum - 1
    assert metrics["least_squares"]["excess_loss"] == pytest.approx(excess, rel=1e-9)
    assert excess > 0


def test_r2_is_the_share_of_the_variance_that_is_explained() -> None:
    write_samples("line", train=100, test=30, features=1)
    metrics = trained("line", task_like("regression", training__epochs=2))
    test = read_table(Files("line").test)
    weight, bias = metrics["numpy"]["weight"], metrics["numpy"]["bias"]
    error = weight * test.features[:, 0] + bias - test.target
    assert metrics["numpy"]["test_r2"] == pytest.approx(
        1 - error.var() / test.target.var() - error.mean() ** 2 / test.target.var(), rel=1e-10
    )


def write_results(
    models: dict[str, dict[str, list[float]]], losses: dict[str, tuple[float, float]], step: int = 4
) -> None:
    """Writes results of two trainings of a line, small enough to check by hand.

    Both start from 0 and 3, and the cloud ends at most 2⁻⁵⁰ away from NumPy's.
    """
    files = Files("line")
    x = np.arange(4.0)[:, None]
    for path in (files.train, files.test):
        write_table(path, Table(x, 2 * x[:, 0] + 1, ["x"], "y"))
    for twin, model in models.items():
        arrays = {"0.weight": np.array([model["weight"]]), "0.bias": np.array(model["bias"])}
        write_tensors(files.model[twin], arrays)
        path = {"0.weight": [[[0.0]], [model["weight"]]], "0.bias": [[3.0], model["bias"]]}
        arrays = {name: np.array(values) for name, values in path.items()}
        write_tensors(files.snapshots[twin], arrays | {"step": np.array([0, step])})
        start, end = losses[twin]
        history = {"epoch": [0, 1], "step": [0, step], "train_loss": [start, end]}
        write_history(files.history[twin], history | {"test_loss": [start, end]})

    write_tensors(files.cloud, {"apart": np.array([[2.0**-52, 2.0**-52], [2.0**-51, 2.0**-50]])})


def test_twins_that_are_apart_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    models = {"numpy": {"weight": [2.0], "bias": [1.0]}, "torch": {"weight": [2.5], "bias": [1.0]}}
    write_results(models, {"numpy": (9.0, 0.5), "torch": (9.0, 0.5)})
    evaluated("line", task_like("regression"))
    radii = 0.5 / math.sqrt(5) * 2**50
    said = f"metrics/line.json: drift.cloud: must be at most 10.0, got {radii}\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(("off", "holds"), [(0.0, True), (1e-9, False)])
def test_a_loss_that_is_off_in_torch_is_found(
    off: float, holds: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = LOSSES["half_mse"]
    wrong = lambda output, target: right(output, target) * (1 + off)  # noqa: E731
    monkeypatch.setitem(LOSSES, "half_mse", wrong)
    write_samples("curve", train=50, test=20, features=3)
    task = task_like("regression", model__options__hidden=[4], training__batch_size=10)
    metrics = trained("curve", task)
    assert (metrics["drift"]["cloud"] <= CLOUD) == holds
    assert ("metrics/curve.json: drift.cloud: must be" in capsys.readouterr().err) != holds


def test_drift_is_the_largest_of_all_differences() -> None:
    weight, bias = 2.0, 1.0
    for _ in range(3):
        weight = np.nextafter(weight, 3.0)
    write_results(
        {
            "numpy": {"weight": [2.0], "bias": [bias]},
            "torch": {"weight": [weight], "bias": [np.nextafter(bias, 0.0)]},
        },
        {"numpy": (9.0, 0.5), "torch": (8.0, 0.25)},
    )
    metrics = evaluated("line", task_like("regression"))
    assert metrics["drift"]["parameters_ulp"] == 3
    assert metrics["drift"]["parameters"] == pytest.approx(3 * 2**-52, rel=1e-9)
    assert metrics["drift"]["loss"] == 0.5
    far = math.hypot(3 * 2**-51, 2**-53) / math.sqrt(5)
    assert metrics["drift"]["cloud"] == pytest.approx(far * 2**50, rel=1e-9)
    assert metrics["numpy"]["weight"] == 2
    assert metrics["torch"]["weight"] == weight
    assert metrics["numpy"]["train_loss"] == 0.5
    # the loss comes from the history; at the optimum it is 0, and no excess is a share of 0
    assert metrics["least_squares"]["test_loss"] == pytest.approx(0, abs=1e-25)


def test_the_values_of_a_training_that_diverged_are_null() -> None:
    write_results(
        {
            "numpy": {"weight": [math.inf], "bias": [math.nan]},
            "torch": {"weight": [1e300], "bias": [-1e300]},
        },
        {"numpy": (9.0, math.nan), "torch": (9.0, 0.5)},
        step=3,
    )
    metrics = evaluated("line", task_like("regression"))
    assert metrics["numpy"] == {
        "train_loss": None,
        "test_loss": None,
        "test_r2": None,
        "diverged_step": 3,
        "weight": None,
        "bias": None,
    }
    assert metrics["torch"]["diverged_step"] == 0
    assert metrics["torch"]["train_loss"] == 0.5
    assert metrics["drift"] == dict.fromkeys(DRIFT)
    assert metrics["least_squares"]["excess_loss"] is None


def test_a_target_that_never_changes_has_no_r2() -> None:
    files = Files("line")
    write_results(
        {twin: {"weight": [0.0], "bias": [5.0]} for twin in ("numpy", "torch")},
        {"numpy": (1.0, 0.5), "torch": (1.0, 0.5)},
    )
    write_table(files.test, Table(np.arange(4.0)[:, None], np.full(4, 5.0), ["x"], "y"))
    assert evaluated("line", task_like("regression"))["numpy"]["test_r2"] is None


def test_a_diverging_task_runs_through_all_stages_in_silence(tmp_path: Path) -> None:
    """The learning rate is absurd, and every warning is an error."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    regression = parameters["tasks"]["regression"]
    regression["optimizers"]["sgd"]["lr"] = 1e10
    parameters["tasks"], parameters["sweeps"] = {"regression": regression}, {}
    parameters["checks"]["training"]["task"] = "regression"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(parameters))
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    for stage in ("generate", "split", "train_numpy", "train_torch", "evaluate"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", f"stages.{stage}", "regression"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), stage
    metrics = strict_json((tmp_path / "metrics" / "regression.json").read_text())
    for twin in ("numpy", "torch"):
        assert 0 < metrics[twin]["diverged_step"] < 100
        assert metrics[twin]["train_loss"] is None
    assert metrics["numpy"]["diverged_step"] == metrics["torch"]["diverged_step"]
    last = (tmp_path / "plots" / "regression" / "numpy.csv").read_text().splitlines()[-1]
    assert last.endswith(f",{metrics['numpy']['diverged_step']},,")
