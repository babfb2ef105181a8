"""Both twins of a model with dropout and batch norm: the same masks, the same states."""

from pathlib import Path

import numpy as np
import pytest

from stages.task.model import Model
from stages.task.optimizers import selected
from stages.task.table import Table
from stages.training import twin, twin_torch
from stages.training.start import start

MODEL = """
from stages.graph import batch_norm, dropout, relu
from stages.graph.starts import fan_in, ones

def model(x, outputs):
    graph, features = x.graph, x.shape[1]
    h = x @ graph.parameter("0.weight", (8, features), fan_in(features)).T
    h = h + graph.parameter("0.bias", (8,), fan_in(features))
    weight, bias = graph.parameter("1.weight", (8,), ones), graph.parameter("1.bias", (8,))
    mean, var = graph.state("1.running_mean", (8,)), graph.state("1.running_var", (8,), 1.0)
    count = graph.state("1.num_batches_tracked", ())
    h = batch_norm(h, mean, var, weight, bias, num_batches_tracked=count)
    h = dropout(relu(h), 0.4, "3")
    weight = graph.parameter("4.weight", (outputs, 8), fan_in(8))
    return h @ weight.T + graph.parameter("4.bias", (outputs,), fan_in(8))
"""
MODEL_TORCH = """
from torch import nn

def model(features, outputs):
    return nn.Sequential(
        nn.Linear(features, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, outputs)
    )
"""


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_masks_and_running_statistics_are_the_same(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dropped.py").write_text(MODEL)
    Path("dropped_torch.py").write_text(MODEL_TORCH)
    model = Model(source="dropped.py", loss="cross_entropy", dtype="float64")
    random = np.random.default_rng(1)
    table = Table(random.normal(size=(60, 3)), random.integers(3, size=60), "abc", "y", "012")
    begin = start(model, 7, table)
    parts = {"train": table, "test": table}
    ours, theirs = twin.Twin(begin, model, parts), twin_torch.Twin(begin, model, parts)
    chosen = selected(optimizer, {optimizer: {"lr": 0.05}}), "lr"
    batches = [random.permutation(60)[:20] for _ in range(6)]
    pairs = zip(
        ours.steps(ours.optimizer(*chosen), batches),
        theirs.steps(theirs.optimizer(*chosen), batches),
        strict=True,
    )
    for loss, other in pairs:
        assert loss.item() == pytest.approx(other, rel=1e-9)
    state, other_state = ours.state(), theirs.state()
    assert set(state) == set(other_state)
    for name, values in other_state.items():
        np.testing.assert_allclose(state[name], values, rtol=1e-7, atol=1e-9, err_msg=name)
    assert state["1.running_mean"].any()
    for name, value in theirs.evaluate().items():  # with what is kept, and without dropout
        assert ours.evaluate()[name].item() == pytest.approx(value, rel=1e-9)
