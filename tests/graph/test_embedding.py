"""Rows of a table that features name: against torch, and what is refused."""

import numpy as np
import pytest
import torch

from stages.graph import SAMPLES, Graph, embedding


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_and_their_gradients_are_those_of_torch(dtype: str) -> None:
    random = np.random.default_rng(1)
    tokens = random.integers(5, size=(7, 3))
    tables = random.normal(size=(2, 5, 4)).astype(dtype)
    graph = Graph(runs=2, dtype=dtype)
    rows = embedding(graph.input("x", (SAMPLES, 3)), graph.parameter("table", (5, 4)))
    assert rows.shape == (SAMPLES, 3, 4)
    program = graph.compile(
        (rows * rows * rows).sum(), rows, samples=7, differentiate=True, shared_inputs=True
    )
    graph.parameters[:] = tables.reshape(2, -1)
    program.feed(x=tokens[None].astype(dtype))
    program.gradients()
    for run, table in enumerate(tables):
        theirs = torch.tensor(table, requires_grad=True)
        found = torch.nn.functional.embedding(torch.tensor(tokens), theirs)
        (found * found * found).sum().backward()
        np.testing.assert_array_equal(program.outputs[1][run], found.detach().numpy())
        gradient = graph.views(graph.gradients)["table"][run]
        np.testing.assert_allclose(gradient, theirs.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize("token", [-1.0, 5.0, np.nan, np.inf])
def test_a_token_without_a_row_is_refused_when_it_is_fed(token: float) -> None:
    graph = Graph()
    rows = embedding(graph.input("x", (SAMPLES,)), graph.parameter("table", (5, 4)))
    program = graph.compile(rows, samples=2)
    with pytest.raises(IndexError, match="an index must be from 0 to 4, got"):
        program.feed(x=np.array([[1.0, token]]))


def test_a_table_has_rows_and_columns() -> None:
    graph = Graph()
    x, weight = graph.input("x", (SAMPLES,)), graph.parameter("weight", (5,))
    with pytest.raises(ValueError, match=r"embedding: the table needs rows and columns, got"):
        embedding(x, weight)
