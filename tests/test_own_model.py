"""A model and a loss of one's own, as docs/learning.md has them, through all that a task goes."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import ROOT
from trainings import Task, call, task_like, train, write_samples

from stages import draw, evaluate, report, sweep
from stages.models.network import predict
from stages.proofs.claims import CLOUD
from stages.task.files import Files, read_metrics
from stages.task.table import read_table

CODE = re.findall(
    r"```python\n# (stages/own/\w+\.py)(.*?)```", (ROOT / "docs/learning.md").read_text(), re.DOTALL
)


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("stages/own").mkdir(parents=True)
    for path, code in CODE:
        Path(path).write_text(f"#{code}")


def gated(loss: str, **changes: Any) -> Task:
    model = {"source": "stages/own/gated.py", "options": {"width": 5}, "dtype": "float64"}
    loss_options = {"quantile": 0.9} if loss.startswith("stages.own") else {}
    model |= {"loss": loss, "loss_options": loss_options}
    return task_like("moons", model=model, training__epochs=10, **changes)


def test_each_side_is_short() -> None:
    assert [path for path, _ in CODE] == [
        f"stages/own/{name}{ending}.py"
        for name in ("gated", "pinball")
        for ending in ("", "_torch")
    ]
    assert all(code.count("\n") < 30 for _, code in CODE)


@pytest.mark.parametrize(
    ("loss", "classes"), [("cross_entropy", 3), ("stages.own.pinball.pinball", 0)]
)
def test_both_twins_are_trained_compared_and_drawn(loss: str, classes: int) -> None:
    write_samples("own", train=60, test=20, features=2, classes=classes)
    task = gated(loss)
    for twin in ("numpy", "torch"):
        model, snapshots, history = train(twin, "own", task)
        assert history["train_loss"][-1] < history["train_loss"][0]
        assert snapshots["scale"][0].tolist() == [1] * 5
        assert model["gate.weight"].shape == (5, 2)
    call(evaluate.main, "own", task)
    metrics = json.loads(Files("own").metrics.read_text())
    assert metrics["drift"]["cloud"] < CLOUD
    assert ("test_accuracy" in metrics["numpy"]) == bool(classes)
    assert "test_r2" not in metrics["numpy"]
    call(draw.main, "own", task)
    content = task.model_dump(exclude_none=True)
    shown = report.task("own", content, read_metrics(Files("own").metrics))
    assert shown["facts"]["model"] == "gated width 5"
    assert shown["facts"]["loss"] == (loss if classes else f"{loss} quantile 0.9")


def test_the_pinball_loss_finds_a_quantile() -> None:
    write_samples("own", train=500, test=0, features=1)
    task = gated("stages.own.pinball.pinball", training__batch_size=20)
    trained, _, _ = train("numpy", "own", task)
    table = read_table(Files("own").train)
    stacked = {name: values[None] for name, values in trained.items()}
    outputs = predict(task.model, table.outputs, stacked, table.features)[0, :, 0]
    assert np.mean(table.target < outputs) == pytest.approx(0.9, abs=0.05)


def test_it_is_swept() -> None:
    write_samples("own", train=60, test=20, features=2, classes=3)
    optimizers = {"sgd": {"lr": [0.01, 0.1]}, "adam": {"lr": [0.01]}}
    task = gated("cross_entropy")
    swept = {"own": {"seeds": 2, "repeated": 2, "optimizers": optimizers}}
    sweep.main("own", task.model, task.training, swept, {})
    metrics = json.loads(Files("own").sweep_metrics.read_text())
    assert metrics["sgd"]["trainings"] == 4
    assert metrics["drift"]["train_loss"] < 1e-12
