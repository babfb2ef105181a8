"""The stage that compares the gradient of a task's model with torch's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT
from test_own_model import CODE
from trainings import Task, task_like, write_samples

from stages.check_model import main
from stages.task.files import Files

Check = Callable[[Task, int], dict[str, Any]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs the stage on samples of so many classes, or numbers; returns the metrics."""
    monkeypatch.chdir(tmp_path)
    Path("stages/own").mkdir(parents=True)
    for path, code in CODE:
        Path(path).write_text(f"#{code}")
    checks = yaml.safe_load((ROOT / "params.yaml").read_text())["checks"]
    Path("params.yaml").write_text(yaml.safe_dump({"checks": checks}))

    def run(task: Task, classes: int) -> dict[str, Any]:
        write_samples("own", train=60, test=20, features=2, classes=classes)
        main("own", task.model)
        metrics: dict[str, Any] = json.loads(Files("own").gradients.read_text())
        return metrics

    return run


OWN = {"model__source": "stages/own/gated.py", "model__options": {"width": 5}}
PINBALL = {"model__loss": "stages.own.pinball.pinball", "model__loss_options": {"quantile": 0.8}}


@pytest.mark.parametrize(
    ("changes", "classes"),
    [({}, 3), ({"model__loss": "half_mse"}, 0), (OWN, 4), ({**OWN, **PINBALL}, 0)],
    ids=["classes", "numbers", "own model", "own loss"],
)
def test_a_gradient_is_that_of_torch_and_of_differences(
    check: Check, changes: dict[str, Any], classes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = check(task_like("moons", **changes), classes)
    assert metrics["relative_error"] < 1e-14
    assert metrics["relative_error_float32"] < 1e-5
    assert metrics["difference_quotient"] < 1e-10
    assert capsys.readouterr() == ("", "")


def test_a_model_that_is_another_in_torch_is_said(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("stages/own/gated_torch.py")
    path.write_text(path.read_text().replace("torch.tanh(", "1.001 * torch.tanh("))
    metrics = check(task_like("moons", **OWN), 3)
    assert metrics["relative_error"] > 1e-4
    assert metrics["difference_quotient"] < 1e-10  # that of the graph is right
    said = capsys.readouterr().err
    assert said.startswith("metrics/own/gradients.json: relative_error: must be at most 1e-12, got")
