"""The multilayer perceptron, whose parameters are those of torch.nn.Sequential."""

import numpy as np
import pytest
import torch
from networks import network, predict, torch_network

SIZES = [[1, 1], [3, 2], [2, 10, 2], [2, 16, 16, 3]]


@pytest.mark.parametrize("sizes", SIZES)
def test_parameters_are_named_and_shaped_as_in_torch(sizes: list[int]) -> None:
    graph = network(sizes, "relu", "half_mse").graph
    ours = {name: view.shape[1:] for name, view in graph.views(graph.parameters).items()}
    theirs = torch_network(sizes, "relu").state_dict()
    assert list(ours.items()) == [(name, tuple(value.shape)) for name, value in theirs.items()]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("sizes", SIZES)
def test_many_networks_predict_what_torch_predicts(
    sizes: list[int], activation: str, dtype: str
) -> None:
    models = [torch_network(sizes, activation, dtype) for _ in range(5)]
    states = [model.state_dict() for model in models]
    stacked = {name: np.stack([state[name].numpy() for state in states]) for name in states[0]}
    features = np.random.default_rng(1).normal(size=(7, sizes[0]))
    outputs = predict(stacked, features, activation)
    assert outputs.shape == (5, 7, sizes[-1])
    assert outputs.dtype == dtype
    tolerance = {"float64": 1e-14, "float32": 1e-5}[dtype]
    with torch.no_grad():
        for output, model in zip(outputs, models, strict=True):
            theirs = model(torch.tensor(features).to(getattr(torch, dtype))).numpy()
            np.testing.assert_allclose(output, theirs, rtol=tolerance, atol=tolerance)


def test_a_network_of_infinite_parameters_predicts_without_a_warning() -> None:
    parameters = {"0.weight": np.array([[[np.inf]], [[np.nan]]]), "0.bias": np.zeros((2, 1))}
    assert not np.isfinite(predict(parameters, np.array([[0.0], [1.0]]))).any()
