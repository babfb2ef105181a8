"""The model of a task: its loss, and what is refused."""

from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from networks import network

from stages.graph.operations.losses import LOSSES
from stages.models.network import network as graph_network
from stages.task import model as names
from stages.task.errors import InputError
from stages.task.table import Table
from stages.training import twin_torch
from stages.training.start import start


def test_means_are_the_loss_and_for_classes_the_accuracy() -> None:
    classifier, line = (network([2, 2], "relu", loss) for loss in ("cross_entropy", "half_mse"))
    named = {name: mean.operation for name, mean in classifier.means.items()}
    assert named == {"loss": "cross_entropy", "accuracy": "accuracy"}
    assert list(line.means) == ["loss"]
    assert line.loss.operation == "half_mse"


def test_the_losses_that_params_yaml_may_name_are_those_of_the_graph() -> None:
    assert [*names.LOSSES] == [*LOSSES]
    second = {name: list(signature(loss).parameters)[1] for name, loss in LOSSES.items()}
    assert [name for name in LOSSES if second[name] == "labels"] == [*names.OF_CLASSES]


def write(name: str, code: str) -> None:
    Path("stages/own").mkdir(parents=True, exist_ok=True)
    Path("stages/own", name).write_text(code)


def model(**changes: object) -> names.Model:
    content = {"source": "stages/own/plane.py", "loss": "half_mse", "dtype": "float64"}
    return names.Model.model_validate(content | changes)


PLANE = """
from stages.graph.starts import normal

def model(x, outputs, *, scale: float = 1.0):
    weight = x.graph.parameter("weight", (outputs, x.shape[1]), normal)
    bias = x.graph.parameter("bias", (outputs,))
    return scale * (x @ weight.T) + bias
"""
PLANE_TORCH = """
from torch import nn

class Plane(nn.Linear):
    def __init__(self, features, outputs, scale):
        super().__init__(features, outputs)
        self.scale = scale

    def forward(self, x):
        return self.scale * (x @ self.weight.T) + self.bias

def model(features, outputs, *, scale):
    return Plane(features, outputs, scale)
"""


@pytest.mark.usefixtures("in_a_new_directory")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "super().__init__(features, outputs)",
            "super().__init__(outputs, features)",
            "parameter 1 must be that of stages/own/plane.py, weight of shape (1, 3); "
            "got weight of shape (3, 1)",
        ),
        (
            "features, outputs)\n        self.scale",
            "features, outputs, bias=False)\n        self.scale",
            "parameter 2 must be that of stages/own/plane.py, bias of shape (1,); got none",
        ),
        (
            "self.scale = scale",
            "self.more = nn.Parameter(self.bias.detach())",
            "parameter 3 must be that of stages/own/plane.py, none; got more of shape (1,)",
        ),
        (
            "features, outputs, *, scale)",
            "features, outputs, *, factor)",
            "model must take the options of stages/own/plane.py: "
            "missing a required argument: 'factor'",
        ),
        (
            "features, outputs, *, scale)",
            "features, outputs)",
            "model must take the options of stages/own/plane.py: "
            "got an unexpected keyword argument 'scale'",
        ),
        ("def model", "def modell", "must have a function model(features, outputs, *, options)"),
    ],
)
def test_a_difference_of_the_two_files_is_one_line(old: str, new: str, message: str) -> None:
    assert old in PLANE_TORCH
    write("plane.py", PLANE)
    write("plane_torch.py", PLANE_TORCH.replace(old, new))
    table = Table(np.zeros((4, 3)), np.zeros(4), ["a", "b", "c"], "y")
    begin = start(model(), 1, table)
    with pytest.raises(InputError) as caught:
        twin_torch.Twin(begin, model(), {"train": table})
    assert str(caught.value) == f"stages/own/plane_torch.py: {message}"


@pytest.mark.usefixtures("in_a_new_directory")
@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("x", "must return a node of shape (samples, 1), got x['samples', 3]"),
        ("1.0", "must return a node of shape (samples, 1), got 1.0"),
    ],
)
def test_a_model_returns_its_outputs(returned: str, message: str) -> None:
    write("plane.py", f"def model(x, outputs): return {returned}")
    with pytest.raises(InputError) as caught:
        graph_network(model(), 3, (1,))
    assert str(caught.value) == f"stages/own/plane.py: model {message}"


@pytest.mark.usefixtures("in_a_new_directory")
def test_a_loss_is_a_mean_over_the_samples() -> None:
    write("plane.py", PLANE)
    write("each.py", "def each(output, target): return output - target")
    with pytest.raises(InputError) as caught:
        graph_network(model(loss="stages.own.each.each"), 3, (1,))
    assert str(caught.value) == (
        "stages.own.each.each: must return a mean over the samples, got subtract['samples', 1]"
    )


@pytest.mark.usefixtures("in_a_new_directory")
def test_what_a_parameter_starts_from_has_its_shape() -> None:
    write("plane.py", PLANE.replace("normal)", "lambda random, shape: random.random(2))"))
    with pytest.raises(ValueError, match=r"^parameter weight: its start must be of shape \(1, 3\)"):
        graph_network(model(), 3, (1,)).graph.draw_parameters(np.random.default_rng(1))
