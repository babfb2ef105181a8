"""What the three original scripts claim, with their numbers, by the parts of this project."""

import numpy as np
import pytest
import torch
from trainings import task_like, train, write_generated

from stages.graph import Graph
from stages.optim import SGD
from stages.task.files import Files
from stages.task.table import read_table

pytestmark = pytest.mark.usefixtures("in_a_new_directory")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_and_p_agree_on_y_equals_p_times_x_squared(dtype: str) -> None:
    """Script 1: 5 random x, p = 1.2 at the start, SGD with lr 0.1."""
    x = np.random.default_rng(1).random(5).astype(dtype)
    graph = Graph(dtype=dtype)
    p_node, x_node = graph.parameter("p", ()), graph.parameter("x", ())
    program = graph.compile(p_node * x_node**2, differentiate=True)
    p, dy_dp = graph.parameters[:, :1], graph.gradients[:, :1]
    p[:] = 1.2
    ours = []
    sgd = SGD(0.1)
    for one in x:
        graph.parameters[:, 1] = one
        program.forward()
        program.backward()
        ours.append(graph.gradients[0].tolist())
        sgd(p, dy_dp)

    p_torch = torch.tensor(1.2, dtype=getattr(torch, dtype), requires_grad=True)
    x_torch = torch.tensor(x, requires_grad=True)
    sgd_torch = torch.optim.SGD([p_torch], lr=0.1)
    dy_dp_torch = []
    for i in range(5):
        y = p_torch * x_torch[i] ** 2
        sgd_torch.zero_grad()
        y.backward()
        dy_dp_torch.append(p_torch.grad.item())
        sgd_torch.step()

    tolerance = 4 * float(np.finfo(dtype).eps)
    assert [row[0] for row in ours] == pytest.approx(dy_dp_torch, rel=tolerance)
    assert [row[1] for row in ours] == pytest.approx(x_torch.grad.tolist(), rel=tolerance)
    assert p.item() == pytest.approx(p_torch.item(), rel=tolerance)
    # on paper each step takes p to p - 0.1 x²
    assert p.item() == pytest.approx(1.2 - 0.1 * np.sum(x.astype(float) ** 2), rel=2 * tolerance)


@pytest.mark.parametrize("twin", ["numpy", "torch"])
def test_the_line_is_found(twin: str) -> None:
    """Script 2: y = 10x + 5 + 5·U(0, 1), whose noise has the mean 2.5."""
    task = task_like("regression", training__epochs=100)
    write_generated("regression", task)
    model, _, history = train(twin, "regression", task)
    w, b = model["0.weight"].item(), model["0.bias"].item()
    assert w == pytest.approx(10, abs=0.2)

    table = read_table(Files("regression").train)
    assert len(table.target) == 1000
    x, y = table.features[:, 0], table.target
    slope = np.cov(x, y, bias=True)[0, 1] / x.var()
    intercept = y.mean() - slope * x.mean()
    # so near is least squares to what made the points
    assert slope == pytest.approx(10, abs=0.05)
    assert intercept == pytest.approx(7.5, abs=0.3)
    # and so near is the training to least squares: the steps of its batches do not settle
    assert w == pytest.approx(slope, abs=0.1)
    assert b == pytest.approx(intercept, abs=0.2)
    assert history["train_loss"][-1] < 1.05 * np.mean((slope * x + intercept - y) ** 2) / 2


@pytest.mark.parametrize("twin", ["numpy", "torch"])
def test_the_ten_epochs_of_the_seed_come_close(twin: str) -> None:
    task = task_like("regression")
    write_generated("regression", task)
    model, _, history = train(twin, "regression", task)
    assert model["0.weight"].item() == pytest.approx(10, abs=0.2)
    assert history["train_loss"][-1] < history["train_loss"][0] / 100


def test_the_alternative_optimizer_of_the_seed_trains_too() -> None:
    """Adam with lr 10, which is in a comment there."""
    task = task_like("regression", optimizer="adam", training__epochs=50)
    write_generated("regression", task)
    model, _, _ = train("numpy", "regression", task)
    torch_model, _, _ = train("torch", "regression", task)
    for name, values in model.items():
        np.testing.assert_allclose(values, torch_model[name], rtol=1e-10)
    assert model["0.weight"].item() == pytest.approx(10, abs=2)


@pytest.mark.parametrize("twin", ["numpy", "torch"])
def test_the_classifier_tells_the_clouds_apart(twin: str) -> None:
    """Script 3: 100 points around (2, 2) and 100 around (-2, -2), 100 steps of all of them."""
    task = task_like("classification")
    write_generated("classification", task)
    model, snapshots, history = train(twin, "classification", task)
    assert {name: values.shape for name, values in model.items()} == {
        "0.weight": (10, 2),
        "0.bias": (10,),
        "2.weight": (2, 10),
        "2.bias": (2,),
    }
    assert history["step"][-1] == 100
    assert history["train_accuracy"][-1] >= 0.95
    assert history["test_accuracy"][-1] >= 0.95
    # a picture every second step, the first before the training
    np.testing.assert_array_equal(snapshots["step"], range(0, 101, 2))
