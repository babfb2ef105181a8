"""Where both twins start: as the layers of torch do."""

import numpy as np
import pytest
import torch
from networks import initial_parameters, mlp, torch_network

from stages.task.table import Table
from stages.training.start import start

SIZES = [3, 50, 40, 2]


@pytest.mark.parametrize("initialization", ["uniform01", "torch_linear"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_initial_parameters_are_a_state_of_the_torch_model(initialization: str, dtype: str) -> None:
    start = initial_parameters(SIZES, initialization, dtype, seed=1)
    model = torch_network(SIZES, "relu", dtype)
    assert list(start) == list(model.state_dict())
    model.load_state_dict({name: torch.from_numpy(values) for name, values in start.items()})
    assert all(part.dtype == getattr(torch, dtype) for part in model.parameters())
    again = initial_parameters(SIZES, initialization, dtype, seed=1)
    other = initial_parameters(SIZES, initialization, dtype, seed=2)
    for name, values in start.items():
        np.testing.assert_array_equal(values, again[name])
        if values.any():  # the biases of uniform01 are 0
            assert not np.array_equal(values, other[name])


def test_uniform01_is_the_seeds_rand_and_zeros() -> None:
    start = initial_parameters([100, 100, 1], "uniform01", "float64", seed=1)
    weight = start["0.weight"]
    assert 0 <= weight.min() < 0.001
    assert 0.999 < weight.max() < 1
    assert weight.mean() == pytest.approx(0.5, abs=0.01)
    assert not start["0.bias"].any()
    assert not start["2.bias"].any()


def test_torch_linear_has_the_ranges_of_torch() -> None:
    sizes = [4, 2000, 1000]
    start = initial_parameters(sizes, "torch_linear", "float64", seed=1)
    theirs = {
        name: values.numpy() for name, values in torch_network(sizes, "relu").state_dict().items()
    }
    for name, values in start.items():
        bound = 1 / np.sqrt(4 if name.startswith("0") else 2000)
        # torch.nn.Linear draws from the same interval, but in single precision
        for found, limit in ((values, bound), (theirs[name], float(np.float32(bound)))):
            assert 0.99 * bound < found.max() <= limit
            assert -limit <= found.min() < -0.99 * bound
            assert found.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_float32_starts_from_the_same_numbers_rounded() -> None:
    double = initial_parameters(SIZES, "torch_linear", "float64", seed=1)
    single = initial_parameters(SIZES, "torch_linear", "float32", seed=1)
    for name, values in double.items():
        np.testing.assert_array_equal(values.astype(np.float32), single[name])


def test_a_number_has_one_output_and_classes_one_each() -> None:
    features = np.zeros((5, 3))
    number = Table(features, np.zeros(5), ["a", "b", "c"], "y")
    classes = Table(features, np.zeros(5, np.int64), ["a", "b", "c"], "y", ["0", "1", "2", "3"])
    shapes = {"0.weight": (16, 3), "0.bias": (16,), "2.weight": (16, 16), "2.bias": (16,)}
    for table, outputs in ((number, 1), (classes, 4)):
        drawn = start(mlp([16, 16]), 1, table).parameters
        found = {name: values.shape for name, values in drawn.items()}
        assert found == shapes | {"4.weight": (outputs, 16), "4.bias": (outputs,)}
