"""The twins: trained from one start in one order, they arrive at the same parameters."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from repository import ROOT
from trainings import task_like, train, write_samples

from stages.models.network import predict
from stages.models.network_torch import network
from stages.task.errors import InputError
from stages.task.files import Files, read_tensors
from stages.task.table import read_table

pytestmark = pytest.mark.usefixtures("in_a_new_directory")


LINE = {"model__loss": "half_mse", "model__options__hidden": []}
TRAININGS: dict[str, tuple[int, dict[str, Any]]] = {
    "a line": (0, {**LINE, "optimizer": "sgd", "optimizers__sgd": {"lr": 0.03, "momentum": 0.6}}),
    "a line from uniform01": (0, {**LINE, "model__options__initialization": "uniform01"}),
    "numbers, two hidden layers": (0, {"model__loss": "half_mse"}),
    "classes, tanh": (2, {}),
    "classes, sigmoid": (3, {"model__options__activation": "sigmoid"}),
    "classes, relu": (4, {"model__options__activation": "relu", "model__options__hidden": [10]}),
    "classes without a hidden layer": (3, {"model__options__hidden": []}),
    "full batches": (2, {"training__batch_size": "full", "training__epochs": 40}),
    "one sample a step": (2, {"training__batch_size": 1, "training__epochs": 2}),
    "all Adam can do": (
        3,
        {"optimizers__adam": {"lr": 0.01, "betas": (0.8, 0.9), "weight_decay": 0.1, "eps": 1e-4}},
    ),
    "AMSGrad, decoupled decay": (
        2,
        {
            "optimizers__adam": {
                "lr": 0.01,
                "weight_decay": 0.1,
                "amsgrad": True,
                "decoupled_weight_decay": True,
            }
        },
    ),
    "all SGD can do": (
        2,
        {
            "optimizer": "sgd",
            "optimizers__sgd": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        },
    ),
    "dampened, uphill": (
        2,
        {
            "optimizer": "sgd",
            "optimizers__sgd": {
                "lr": 1e-3,
                "momentum": 0.5,
                "dampening": 0.2,
                "maximize": True,
            },
        },
    ),
}

# Largest differences seen, relative to the largest parameter of an array: 3e-15 and 7e-7.
TOLERANCE = {"float64": 1e-13, "float32": 1e-5}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", TRAININGS)
def test_both_twins_arrive_at_the_same_parameters(name: str, dtype: str) -> None:
    classes, changes = TRAININGS[name]
    defaults = {"training__epochs": 10, "training__batch_size": 30, "training__snapshots": 5}
    task = task_like("moons", **{"model__dtype": dtype, **defaults, **changes})
    write_samples("twins", train=100, test=30, features=3, classes=classes)
    model, snapshots, history = train("numpy", "twins", task)
    torch_model, torch_snapshots, torch_history = train("torch", "twins", task)
    tolerance = TOLERANCE[dtype]
    assert list(model) == list(torch_model)
    for key, values in model.items():
        assert values.dtype == torch_model[key].dtype == dtype
        assert values.shape == torch_model[key].shape
        scale = np.abs(values).max()
        np.testing.assert_allclose(values, torch_model[key], atol=tolerance * scale, rtol=0)
    assert list(snapshots) == list(torch_snapshots)
    np.testing.assert_array_equal(snapshots["step"], torch_snapshots["step"])
    for key, values in snapshots.items():
        np.testing.assert_array_equal(values[0], torch_snapshots[key][0])
    assert list(history) == list(torch_history)
    assert len(history["step"]) == task.training.epochs + 1
    for column, numbers in history.items():
        assert numbers == pytest.approx(torch_history[column], rel=tolerance, abs=tolerance)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch_loads_the_numpy_model_and_predicts_the_same(dtype: str) -> None:
    task = task_like("moons", training__epochs=3, model__dtype=dtype)
    write_samples("moons", train=100, test=30, features=2, classes=3)
    train("numpy", "moons", task)
    files = Files("moons")
    state = read_tensors(files.model["numpy"])
    model = network(task.model, 2, (3,))
    model.load_state_dict({name: torch.from_numpy(values) for name, values in state.items()})
    features = read_table(files.test).features
    stacked = {name: values[None] for name, values in state.items()}
    ours = predict(task.model, (3,), stacked, features)[0]
    with torch.no_grad():
        theirs = model(torch.from_numpy(features).to(getattr(torch, dtype))).numpy()
    tolerance = {"float64": 1e-13, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(ours.argmax(axis=1), theirs.argmax(axis=1))


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError) as caught:
        train("torch", "moons", task_like("moons", device="cuda"))
    assert str(caught.value) == (
        "params.yaml: device: must be cpu, since torch finds no GPU; got cuda"
    )


def test_the_optimizer_computes_as_it_would_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU torch takes the foreach path by default, in which ASGD has another precision."""
    write_samples("moons", train=40, test=10, features=2, classes=2)
    task = task_like("moons", training__epochs=3, optimizer="asgd", optimizers__asgd={"lr": 0.1})
    here = train("torch", "moons", task)[0]
    module = sys.modules["torch.optim.asgd"]
    monkeypatch.setattr(module, "_default_to_fused_or_foreach", lambda *_, **__: (False, True))
    there = train("torch", "moons", task)[0]
    for name, values in here.items():
        np.testing.assert_array_equal(there[name], values)


def test_both_twins_diverge_alike() -> None:
    write_samples("steep", train=40, test=10, features=1)
    task = task_like("regression", training__batch_size=8, optimizers__sgd={"lr": 1e10})
    histories = [train(twin, "steep", task)[2] for twin in ("numpy", "torch")]
    assert histories[0]["step"] == histories[1]["step"]
    assert all(np.isnan(history["train_loss"][-1]) for history in histories)


WITHOUT_COMPILER = """
import sys
import torch
from stages.reference.eager import import_compiler_on_demand
import_compiler_on_demand()
for kind in (torch.optim.SGD, torch.optim.Adam):
    p = torch.ones(2, requires_grad=True)
    optimizer = kind([p], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (p**2).sum().backward()
        optimizer.step()
    print(*p.tolist())
assert "torch._dynamo.eval_frame" not in sys.modules, "the compiler was imported"
torch.testing.assert_close(p, p)  # which looks at every module there is
assert "torch._dynamo.eval_frame" not in sys.modules
assert torch._dynamo.config.verbose in (True, False)
assert "torch._dynamo.eval_frame" in sys.modules
optimizer.step()
"""


def test_torch_optim_steps_without_the_compiler_which_comes_when_called() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_COMPILER], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    arrived = np.array([line.split() for line in done.stdout.splitlines()], float)
    assert arrived == pytest.approx(np.array([[0.8**3] * 2, [0.7] * 2]), rel=0.01)


def test_what_ends_torch_is_one_line() -> None:
    """The rate of ASGD is 1 / 0 after two steps."""
    asgd = {"optimizer": "asgd", "optimizers__asgd": {"lr": 1.0, "lambd": -0.5}}
    write_samples("twins", train=100, test=30, features=3, classes=2)
    with pytest.raises(InputError) as caught:
        train("torch", "twins", task_like("moons", **asgd))
    assert str(caught.value) == (
        "params.yaml: tasks.twins.optimizers.asgd: torch ends the training: float division by zero"
    )
