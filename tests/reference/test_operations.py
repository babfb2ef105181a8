"""The operations in torch, against the numbers that their names promise."""

import numpy as np
import pytest
import torch

from stages.graph.operation import OPERATIONS as GRAPH_OPERATIONS
from stages.reference.operations import OPERATIONS

A, B = np.array([[0.5, 1.0, 2.0], [4.0, 2.0, 0.25]]), np.array([[1.5, 1.0, 3.0]])
LABELS = np.array([2, 1])
SHARES = np.exp(A) / np.exp(A).sum(1, keepdims=True)  # softmax

EXPECTED = {
    "add": ((A, B), A + B),
    "subtract": ((A, B), A - B),
    "multiply": ((A, B), A * B),
    "divide": ((A, B), A / B),
    "power": ((A, B), A**B),
    "maximum": ((A, B), np.maximum(A, B)),
    "negative": ((A,), -A),
    "exp": ((A,), np.exp(A)),
    "log": ((A,), np.log(A)),
    "sqrt": ((A,), np.sqrt(A)),
    "tanh": ((A,), np.tanh(A)),
    "sigmoid": ((A,), 1 / (1 + np.exp(-A))),
    "relu": ((A - 1,), [[0, 0, 1], [3, 1, 0]]),
    "log_softmax": ((A,), np.log(SHARES)),
    "matmul": ((A, B.T), A @ B.T),
    "transpose": ((A,), A.T),
    "sum": ((A,), A.sum(0, keepdims=True)),
    "mean": ((A,), A.mean(0, keepdims=True)),
    "half_mse": ((A, 3 * A), 2 * (A**2).mean()),
    "cross_entropy": ((A, LABELS), -np.log(SHARES[[0, 1], LABELS]).mean()),
    "accuracy": ((A, LABELS), 0.5),
}


def test_they_are_those_of_the_graph() -> None:
    assert set(OPERATIONS) == set(GRAPH_OPERATIONS) == set(EXPECTED)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_does_what_its_name_says(name: str) -> None:
    operands, expected = EXPECTED[name]
    attributes = {"axis": 0, "keepdims": True} if name in ("sum", "mean") else {}
    found = OPERATIONS[name](*map(torch.from_numpy, operands), **attributes)
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
