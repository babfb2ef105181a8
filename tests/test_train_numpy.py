"""The NumPy twin against the same trainings written out by hand."""

import numpy as np
import pytest
from trainings import task_like, train, write_samples

from stages.task.files import Files
from stages.task.table import read_table
from stages.training.plan import plan
from stages.training.start import start

pytestmark = pytest.mark.usefixtures("in_a_new_directory")


def test_the_seeds_regression_by_hand() -> None:
    """The original loop with the gradient worked out: mean of error · x, and mean of error."""
    task = task_like("regression", training__epochs=4, training__batch_size=30)
    write_samples("line", train=100, test=20, features=1)
    model, _, history = train("numpy", "line", task)

    table = read_table(Files("line").train)
    x, y = table.features[:, 0], table.target
    planned = plan("line", task.training, table)
    w, b = start(task.model, task.training.seed, table).parameters["0.weight"].item(), 0.0
    velocity_w = velocity_b = None
    losses = [np.mean(0.5 * (w * x + b - y) ** 2)]
    for batches in planned.epochs:
        for batch in batches:  # 30, 30, 30 and 10
            error = w * x[batch] + b - y[batch]
            grad_w, grad_b = np.mean(error * x[batch]), np.mean(error)
            velocity_w = grad_w if velocity_w is None else 0.6 * velocity_w + grad_w
            velocity_b = grad_b if velocity_b is None else 0.6 * velocity_b + grad_b
            w, b = w - 0.03 * velocity_w, b - 0.03 * velocity_b
        losses.append(np.mean(0.5 * (w * x + b - y) ** 2))
    assert model["0.weight"].item() == pytest.approx(w, rel=1e-12)
    assert model["0.bias"].item() == pytest.approx(b, rel=1e-12)
    assert history["train_loss"] == pytest.approx(losses, rel=1e-12)
    assert history["step"] == [0, 4, 8, 12, 16]


def test_the_seeds_classifier_by_hand() -> None:
    """Two layers with relu between, softmax, full batches; the backward pass worked out."""
    task = task_like("classification", training__epochs=5, optimizers__sgd={"lr": 0.5})
    write_samples("clouds", train=60, test=20, features=2, classes=2)
    model, _, history = train("numpy", "clouds", task)

    table = read_table(Files("clouds").train)
    x, label = table.features, table.target
    before = start(task.model, task.training.seed, table).parameters
    w1, b1, w2, b2 = (before[name].copy() for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
    losses, accuracies = [], []
    for _ in range(6):
        hidden = np.maximum(x @ w1.T + b1, 0)
        logits = hidden @ w2.T + b2
        probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses.append(-np.mean(np.log(probability[np.arange(60), label])))
        accuracies.append(np.mean(logits.argmax(axis=1) == label))
        final = w1, b1, w2, b2
        grad_logits = (probability - np.eye(2)[label]) / 60
        grad_hidden = (grad_logits @ w2) * (hidden > 0)
        w2, b2 = w2 - 0.5 * grad_logits.T @ hidden, b2 - 0.5 * grad_logits.sum(axis=0)
        w1, b1 = w1 - 0.5 * grad_hidden.T @ x, b1 - 0.5 * grad_hidden.sum(axis=0)
    for name, values in zip(("0.weight", "0.bias", "2.weight", "2.bias"), final, strict=True):
        np.testing.assert_allclose(model[name], values, rtol=1e-12, atol=1e-14)
    assert history["train_loss"] == pytest.approx(losses, rel=1e-12)
    assert history["train_accuracy"] == pytest.approx(accuracies, rel=1e-12)
    assert list(history) == [
        "epoch",
        "step",
        "train_loss",
        "test_loss",
        "train_accuracy",
        "test_accuracy",
    ]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_snapshots_lead_from_the_initial_parameters_to_the_model(dtype: str) -> None:
    task = task_like("moons", training__epochs=3, training__snapshots=4, model__dtype=dtype)
    write_samples("moons", train=70, test=20, features=2, classes=3)
    model, snapshots, _ = train("numpy", "moons", task)
    before = start(task.model, task.training.seed, read_table(Files("moons").train)).parameters
    np.testing.assert_array_equal(snapshots.pop("step"), [0, 3, 6, 9])
    assert list(snapshots) == list(model) == sorted(before)
    for name, values in snapshots.items():
        assert values.dtype == model[name].dtype == dtype
        np.testing.assert_array_equal(values[0], before[name])
        np.testing.assert_array_equal(values[-1], model[name])
        assert not np.array_equal(values[1], values[2])


def test_the_same_training_twice_is_the_same_to_the_last_byte() -> None:
    files, kept = Files("moons"), []
    for _ in range(2):
        write_samples("moons", train=70, test=20, features=2, classes=2)
        train("numpy", "moons", task_like("moons", training__epochs=2))
        paths = (files.model["numpy"], files.snapshots["numpy"], files.history["numpy"])
        kept.append([path.read_bytes() for path in paths])
    assert kept[0] == kept[1]


@pytest.mark.parametrize("loss", ["half_mse", "cross_entropy"])
def test_a_training_that_diverges_stops_there(loss: str, capfd: pytest.CaptureFixture[str]) -> None:
    classes = 2 if loss == "cross_entropy" else 0
    write_samples("steep", train=40, test=10, features=2, classes=classes)
    task = task_like(
        "moons",
        model__loss=loss,
        model__options__activation="relu",
        optimizer="sgd",
        optimizers__sgd={"lr": 1e60},
        training__epochs=50,
    )
    _, snapshots, history = train("numpy", "steep", task)
    assert 0 < history["step"][-1] < 20
    assert np.isnan(history["train_loss"][-1])
    assert np.isfinite(history["train_loss"][:-1]).all()
    assert snapshots["step"][-1] <= history["step"][-1]
    assert capfd.readouterr() == ("", "")
