"""The stage that compares whole trainings with torch: equality, drift, and mistakes."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from repository import ROOT
from test_own_model import CODE

from stages import optim
from stages.check_training import main, plotted, relative_drift
from stages.reference import process
from stages.reference.process import start
from stages.samples import blobs, line
from stages.task.checks import TrainingChecks
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.table import Table, write_table

Check = Callable[..., dict[str, Any]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the stage in a folder of its own with changes to `checks.training`; returns metrics."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "stages/models", "stages/models")
    Path("stages/own").mkdir()
    for path, code in CODE:
        Path(path).write_text(f"#{code}")
    random = np.random.default_rng(1)
    points = blobs.generate(random, centers=[[2, 2], [-2, -2]], samples_per_class=80)
    points = Table(np.stack([points["x1"], points["x2"]], 1), points["class"], "12", "c", "ab")
    options = {"samples": 100, "start": 0, "stop": 1, "slope": 1, "intercept": 1, "noise": 1}
    x, y = line.generate(random, **options).values()
    write_table(Files("classification").train, points)
    write_table(Files("regression").train, Table(x[:, None], y, "x", "y"))

    def run(model: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        content = yaml.safe_load((ROOT / "params.yaml").read_text())
        for task in content["tasks"].values():
            task["model"] = model or task["model"]
        content["checks"]["training"] |= {"steps": 30, "drift_steps": 120} | changes
        Path("params.yaml").write_text(yaml.safe_dump(content))
        main(TrainingChecks.model_validate(content["checks"]["training"]))
        metrics: dict[str, Any] = json.loads(Path("metrics/training.json").read_text())
        return metrics

    return run


def test_trainings_are_equal_bit_for_bit_and_native_ones_drift_by_rounding(check: Check) -> None:
    metrics = check()
    with Path("plots/training/drift.csv").open(newline="") as file:
        names, *rows = csv.reader(file)
    assert names == ["step", "SGD", "Adam"]
    step, *drifts = np.array(rows, float).T
    assert step.tolist() == plotted(120).tolist()
    assert list(metrics) == ["SGD", "Adam"]
    for values, drift in zip(metrics.values(), drifts, strict=True):
        assert drift[-1] == values["drift"]
        assert drift.max() <= values["largest_drift"]
        assert 0 < values.pop("drift") <= values.pop("largest_drift") < 1e-13
        assert values == {"steps": 30, "ulp_ieee": 0, "first_difference": 0, "drift_steps": 120}


NORMED = """
from stages.graph import gelu, layer_norm
from stages.graph.starts import fan_in, ones

def model(x, outputs):
    declare, features = x.graph.parameter, x.shape[1]
    weight = declare("0.weight", (6, features), fan_in(features))
    h = x @ weight.T + declare("0.bias", (6,), fan_in(features))
    h = gelu(layer_norm(h, (6,), declare("1.weight", (6,), ones), declare("1.bias", (6,))))
    return h @ declare("3.weight", (outputs, 6), fan_in(6)).T + declare("3.bias", (outputs,))
"""
NORMED_TORCH = """
from torch import nn

def model(features, outputs):
    return nn.Sequential(
        nn.Linear(features, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, outputs)
    )
"""


def normed(torch_side: str) -> dict[str, Any]:
    """The model of layers that have no kernel of their own, in the current folder."""
    Path("normed.py").write_text(NORMED)
    Path("normed_torch.py").write_text(torch_side)
    return {"source": "normed.py", "loss": "cross_entropy", "dtype": "float64"}


def test_a_model_of_any_layers_is_equal_bit_for_bit(check: Check) -> None:
    metrics = check(model=normed(NORMED_TORCH))
    for values in metrics.values():
        assert values["ulp_ieee"] == 0
        assert 0 < values["largest_drift"] < 1e-10


def test_a_layer_that_the_graph_does_not_know_is_named(check: Check) -> None:
    model = normed(NORMED_TORCH.replace("nn.GELU()", "nn.Softshrink(0.0)"))
    place = r"params\.yaml: checks\.training\.task: normed_torch\.py"
    with pytest.raises(InputError, match=rf"{place}: torch's softshrink has no formula"):
        check(model=model)


# A module that is started instead of stages/proofs/trainings_torch.py: in the seventh call of a
# kernel, one gradient has a wrong bit in the middle.
WRONG_LEAF = """
import numpy as np
from stages.reference import numpy_kernels
from stages.reference.process import answer
from stages.proofs.trainings_torch import trainings

calls = 0

def wrong(g, y, a):
    global calls
    calls += 1
    gradient = g * (y > 0)
    if calls == 7:
        largest = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        gradient[largest] = (gradient[largest].view(np.int64) ^ (1 << 26)).view(np.float64)
    return gradient

relu = numpy_kernels.kernel(lambda a: np.maximum(a, 0), wrong)
numpy_kernels.ACTIVATIONS = dict.fromkeys(numpy_kernels.ACTIVATIONS, relu)
if __name__ == "__main__":
    answer(trainings)
"""


class WrongAdam(optim.Adam):
    """The last bit of one parameter is wrong at step 5."""

    def __call__(self, parameters: np.ndarray, gradients: np.ndarray) -> None:
        super().__call__(parameters, gradients)
        if self.steps == 5:
            parameters.view(np.int64)[3] ^= 1


@pytest.mark.parametrize(
    ("task", "loss"),
    [("classification", "cross_entropy"), ("regression", "stages.own.pinball.pinball")],
)
def test_a_model_of_ones_own_is_equal_bit_for_bit(check: Check, task: str, loss: str) -> None:
    model = {"source": "stages/own/gated.py", "loss": loss, "dtype": "float64"}
    metrics = check(model, task=task)
    for values in metrics.values():
        assert values["ulp_ieee"] == values["first_difference"] == 0
        assert values["drift"] < 1e-12


def test_one_wrong_bit_is_found_at_its_step(
    check: Check,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "wrong_leaf.py").write_text(WRONG_LEAF)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "start", lambda _, *rest: start("wrong_leaf", *rest))
    monkeypatch.setattr(optim, "Adam", WrongAdam)
    metrics = check(drift_steps=10)
    assert metrics["SGD"]["first_difference"] == 7  # trained first in the process
    assert metrics["Adam"]["first_difference"] == 5
    assert min(values["ulp_ieee"] for values in metrics.values()) > 0
    said = [
        rf"metrics/training.json: {name}.ulp_ieee: must be 0, got \d+; first at step {step}\n"
        for name, step in (("SGD", 7), ("Adam", 5))
    ]
    assert re.fullmatch("".join(said), capsys.readouterr().err)


def test_a_training_that_diverges_is_refused(check: Check) -> None:
    optimizers = {"SGD": {"lr": 1e6}, "Adam": {"lr": 0.01}}
    place = r"params\.yaml: checks\.training\.optimizers\.SGD"
    with pytest.raises(InputError, match=rf"^{place}: the training diverges at step [1-9]\d$"):
        check(task="regression", optimizers=optimizers)
    assert not Path("metrics").exists()


def test_the_drift_is_that_of_all_parameters_together() -> None:
    ours, theirs = np.array([[3.0, 4.0], [0.0, 2.0]]), np.array([[3.0, 4.5], [0.5, 2.0]])
    assert relative_drift(ours, theirs).tolist() == [0.1, 0.25]
    theirs[0, 0] = np.nan
    assert np.isfinite(relative_drift(ours, theirs)).tolist() == [False, True]


@pytest.mark.parametrize("steps", [1, 2, 300, 5000, 10**6])
def test_the_plot_has_the_first_and_the_last_step_and_few_others(steps: int) -> None:
    shown = plotted(steps)
    assert (shown[0], shown[-1]) == (1, steps)
    assert (np.diff(shown) > 0).all()
    assert len(shown) <= 300
