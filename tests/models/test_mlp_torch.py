"""The torch side of the comparison: what it is must be beyond doubt."""

import numpy as np
import pytest
import torch
from networks import torch_network

from stages import optim
from stages.graph.operations.losses import LOSSES as NUMPY_LOSSES
from stages.models.mlp import ACTIVATIONS as NUMPY_ACTIVATIONS
from stages.models.mlp_torch import ACTIVATIONS
from stages.reference.losses import LOSSES
from stages.task.hyperparameters import BUILT_IN


def test_both_twins_know_the_same_names() -> None:
    assert set(ACTIVATIONS) == set(NUMPY_ACTIVATIONS)
    assert set(NUMPY_LOSSES) <= set(LOSSES)


def test_the_optimizers_are_all_of_those_of_torch() -> None:
    theirs = {name for name, kind in vars(torch.optim).items() if isinstance(kind, type)}
    names = {kind.__name__ for kind in BUILT_IN}
    assert names == theirs - {"Optimizer"} == set(optim.__all__)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_network_is_the_classifier_of_the_original_scripts(dtype: str) -> None:
    """relu(hidden(x)), then out: the class Net of the original scripts."""
    model = torch_network([2, 10, 2], "relu", dtype)
    assert [type(layer).__name__ for layer in model] == ["Linear", "ReLU", "Linear"]
    hidden, _, out = model
    x = torch.randn(5, 2, dtype=getattr(torch, dtype), generator=torch.manual_seed(1))
    torch.testing.assert_close(model(x), out(torch.relu(hidden(x))), rtol=0, atol=0)


def test_a_linear_model_is_one_layer() -> None:
    assert [type(layer).__name__ for layer in torch_network([3, 1], "tanh")] == ["Linear"]


def test_half_mse_is_the_loss_of_the_original_scripts() -> None:
    prediction, target = np.array([[1.0], [2.0], [5.0]]), np.array([[2.0], [2.0], [1.0]])
    loss = LOSSES["half_mse"](torch.from_numpy(prediction), torch.from_numpy(target))
    assert loss.item() == pytest.approx((0.5 * 1 + 0 + 0.5 * 16) / 3, rel=1e-15)
