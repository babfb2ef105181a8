"""The operations in torch, against the numbers that their names promise."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from stages.graph.operation import OPERATIONS as GRAPH_OPERATIONS
from stages.reference.operations import OPERATIONS

A, B = np.array([[0.5, 1.0, 2.0], [4.0, 2.0, 0.25]]), np.array([[1.5, 1.0, 3.0]])
LABELS = np.array([2, 1])
SHARES = np.exp(A) / np.exp(A).sum(1, keepdims=True)  # softmax
ERF = np.vectorize(math.erf)(A / math.sqrt(2))

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "sum": {"axis": 0, "keepdims": True},
    "mean": {"axis": 0, "keepdims": True},
    "huber": {"delta": 0.5},
    "max": {"axis": 0, "keepdims": False},
    "min": {"axis": None, "keepdims": False},
    "prod": {"axis": (1, 0), "keepdims": False},
    "var": {"axis": 0, "keepdims": False, "correction": 1},
    "norm": {"axis": None, "keepdims": False},
    "logsumexp": {"axis": (0, 1), "keepdims": False},
    "cumsum": {"axis": 1},
    "softmax": {"axis": -1},
    "log_softmax": {"axis": -1},
    "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 2.0},
    "hardtanh": {"low": -0.5, "high": 1.5},
    "softplus": {"beta": 2.0, "threshold": 3.0},
    "clip": {"low": 0.75, "high": 1.5},
    "reshape": {"shape": (3, -1)},
    "flatten": {"start_axis": 0, "end_axis": 1},
    "broadcast_to": {"shape": (2, 2, 3)},
    "expand_dims": {"axis": (0, -1)},
    "squeeze": {"axis": 0},
    "permute": {"axes": (1, 0)},
    "slice": {"ranges": (None, (0, 3, 2))},
    "concatenate": {"axis": 0},
    "pad": {"pad_width": ((1, 0), (0, 2)), "constant_values": 7.0},
    "take": {"axis": 1},
    "gather": {"axis": 1},
    "choose": {"updates": {}},
    "layer_norm": {"normalized_shape": (3,), "eps": 0.1},
    "rms_norm": {"normalized_shape": (3,), "eps": 0.1},
    "batch_norm": {"eps": 0.1},
}

CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
POOLING = {"kernel_size": 2, "stride": 1, "padding": 0}
IMAGE = A[None, None]
ATTRIBUTES |= {
    **dict.fromkeys(("conv1d", "conv2d"), CONVOLUTION),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d"), POOLING),
    "adaptive_avg_pool1d": {"output_size": 2},
    "adaptive_avg_pool2d": {"output_size": (1, 2)},
}

EXPECTED = {
    "add": ((A, B), A + B),
    "subtract": ((A, B), A - B),
    "multiply": ((A, B), A * B),
    "divide": ((A, B), A / B),
    "power": ((A, B), A**B),
    "negative": ((A,), -A),
    "exp": ((A,), np.exp(A)),
    "log": ((A,), np.log(A)),
    "sqrt": ((A,), np.sqrt(A)),
    "tanh": ((A,), np.tanh(A)),
    "sigmoid": ((A,), 1 / (1 + np.exp(-A))),
    "relu": ((A - 1,), [[0, 0, 1], [3, 1, 0]]),
    "leaky_relu": ((A - 1,), [[-0.1, 0, 1], [3, 1, -0.15]]),
    "elu": ((A - 1,), np.where(A > 1, A - 1, 2 * (np.exp(A - 1) - 1))),
    "hardtanh": ((A - 1,), [[-0.5, 0, 1], [1.5, 1, -0.5]]),
    "softplus": ((A,), np.where(A > 1.5, A, np.log(1 + np.exp(2 * A)) / 2)),
    "log_sigmoid": ((A,), -np.log(1 + np.exp(-A))),
    "silu": ((A,), A / (1 + np.exp(-A))),
    "gelu": ((A,), A * (1 + ERF) / 2),
    "gelu_tanh": ((A,), A * (1 + np.tanh(np.sqrt(2 / np.pi) * (A + 0.044715 * A**3))) / 2),
    "absolute": ((A - 1,), [[0.5, 0, 1], [3, 1, 0.75]]),
    "sign": ((A - 1,), [[-1, 0, 1], [1, 1, -1]]),
    "floor": ((A - 1,), [[-1, 0, 1], [3, 1, -1]]),
    "expm1": ((A,), np.exp(A) - 1),
    "log1p": ((A,), np.log(1 + A)),
    "sin": ((A,), np.sin(A)),
    "cos": ((A,), np.cos(A)),
    "erf": ((A / math.sqrt(2),), ERF),
    "atan2": ((A, B), np.arctan2(A, B)),
    "less": ((A, B), [[1, 0, 1], [0, 0, 1]]),
    "less_equal": ((A, B), [[1, 1, 1], [0, 0, 1]]),
    "greater": ((A, B), [[0, 0, 0], [1, 1, 0]]),
    "greater_equal": ((A, B), [[0, 1, 0], [1, 1, 0]]),
    "equal": ((A, B), [[0, 1, 0], [0, 0, 0]]),
    "not_equal": ((A, B), [[1, 0, 1], [1, 1, 1]]),
    "where": ((np.array([1.0, 0.0, -1.0]), A, B), [[0.5, 1, 2], [4, 1, 0.25]]),
    "maximum": ((A, B), np.maximum(A, B)),
    "minimum": ((A, B), np.minimum(A, B)),
    "clip": ((A,), [[0.75, 1, 1.5], [1.5, 1.5, 0.75]]),
    "log_softmax": ((A,), np.log(SHARES)),
    "softmax": ((A,), SHARES),
    "logsumexp": ((A,), np.log(np.exp(A).sum((0, 1)))),
    "max": ((A,), [4, 2, 2]),
    "min": ((A,), 0.25),
    "prod": ((A,), 2.0),
    "var": ((A,), A.var(0, ddof=1)),
    "norm": ((A,), np.sqrt((A**2).sum((0, 1)))),
    "cumsum": ((A,), [[0.5, 1.5, 3.5], [4, 6, 6.25]]),
    "matmul": ((A, B.T), A @ B.T),
    "transpose": ((A,), A.T),
    "sum": ((A,), A.sum(0, keepdims=True)),
    "mean": ((A,), A.mean(0, keepdims=True)),
    "half_mse": ((A, 3 * A), 2 * (A**2).mean()),
    "cross_entropy": ((A, LABELS), -np.log(SHARES[[0, 1], LABELS]).mean()),
    "of_the_label": ((A, LABELS), [2, 2]),
    "huber": ((A - 1,), [[0.125, 0, 0.375], [1.375, 0.375, 0.25]]),
    "accuracy": ((A, LABELS), 0.5),
    "choose": ((A, 2 * A), 2 * A),
    "layer_norm": ((A,), (A - A.mean(1, keepdims=True)) / np.sqrt(A.var(1, keepdims=True) + 0.1)),
    "rms_norm": ((A,), A / np.sqrt((A**2).mean(1, keepdims=True) + 0.1)),
    "batch_norm": ((A, B[0], B[0]), (A - A.mean(0)) / np.sqrt(A.var(0) + 0.1) * B + B),
    "reshape": ((A,), A.reshape(3, 2)),
    "flatten": ((A,), A.reshape(-1)),
    "broadcast_to": ((A,), [A, A]),
    "expand_dims": ((A,), A[None, :, :, None]),
    "squeeze": ((B,), B[0]),
    "permute": ((A,), A.T),
    "slice": ((A,), A[:, ::2]),
    "concatenate": ((A, B, A), np.concatenate([A, B, A])),
    "pad": ((A,), np.pad(A, ((1, 0), (0, 2)), constant_values=7.0)),
    "embedding": ((np.array([[1.0, 0.0], [1.0, 1.0]]), A), A[[[1, 0], [1, 1]]]),
    "take": ((A, np.array([[2, 0], [1, 1]])), A[:, [[2, 0], [1, 1]]]),
    "conv1d": ((A[None], A[None]), [[[A.ravel() @ A.ravel()]]]),
    "conv2d": ((IMAGE, np.array([[[[1.0, 0], [0, 2]]]])), [[[[4.5, 1.5]]]]),
    "max_pool1d": ((A[None],), [[[1, 2], [4, 2]]]),
    "max_pool2d": ((IMAGE,), [[[[4, 2]]]]),
    "avg_pool1d": ((A[None],), [[[0.75, 1.5], [3, 1.125]]]),
    "avg_pool2d": ((IMAGE,), [[[[1.875, 1.3125]]]]),
    "adaptive_avg_pool1d": ((A[None],), [[[0.75, 1.5], [3, 1.125]]]),
    "adaptive_avg_pool2d": ((IMAGE,), [[[[1.875, 1.3125]]]]),
    "gather": ((A, np.array([[2], [1]])), [[2.0], [2.0]]),
}


def test_they_are_those_of_the_graph() -> None:
    assert set(OPERATIONS) == set(GRAPH_OPERATIONS) == set(EXPECTED)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_does_what_its_name_says(name: str) -> None:
    operands, expected = EXPECTED[name]
    found = OPERATIONS[name](*map(torch.from_numpy, operands), **ATTRIBUTES.get(name, {}))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)
    assert found.dtype == torch.float64


@pytest.mark.parametrize("name", ["cross_entropy", "accuracy"])
def test_samples_may_have_any_number_of_axes(name: str) -> None:
    for samples in ((), (2,), (3, 2)):
        logits = torch.from_numpy(np.resize(A, (*samples, 3)))
        labels = torch.from_numpy(np.resize(LABELS, samples))
        values = EXPECTED[name][1]
        if samples == ():
            values = -np.log(SHARES[0, 2]) if name == "cross_entropy" else 1.0
        if samples == (3, 2) and name == "accuracy":
            values = 0.0  # each sample has one of two labels right, and needs both
        assert OPERATIONS[name](logits, labels).item() == pytest.approx(values, rel=1e-14)


def test_a_number_may_stand_for_an_operand() -> None:
    a = torch.tensor([-1.0, 2.0], dtype=torch.float32)
    assert OPERATIONS["maximum"](a, 0.5).tolist() == [0.5, 2.0]
    assert OPERATIONS["subtract"](1.0, a).tolist() == [2.0, -1.0]
    assert OPERATIONS["maximum"](a, 0.5).dtype == OPERATIONS["power"](2.0, a).dtype == a.dtype
