"""Products of many matrices: against torch, for many runs, and in how much memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from differentiation import Compiled, assert_close, random_values, torch_differentiate, weights

from stages.graph import SAMPLES, Graph, Node, permute, reshape

Shapes = list[tuple[int, ...]]

# Of operands that are matrices, many, or many of many; the second is one for all, or not.
SHAPES: list[Shapes] = [
    [(2, 3, 4), (4, 5)],
    [(2, 3, 4), (1, 4, 5)],
    [(3, 2, 3, 4), (4, 5)],
    [(3, 2, 3, 4), (3, 1, 4, 5)],
    [(3, 1, 3, 4), (2, 4, 5)],
    [(3, 4), (2, 4, 5)],
    [(2, 1, 4), (1, 1, 4, 1)],
    [(1, 1, 4), (4, 5)],
]


@pytest.mark.parametrize(("dtype", "relative"), [("float64", 1e-14), ("float32", 5e-6)])
@pytest.mark.parametrize("shapes", SHAPES)
def test_products_and_gradients_are_those_of_torch(
    shapes: Shapes, dtype: str, relative: float
) -> None:
    formulas: list[Callable[..., Any]] = [
        lambda a, b: a @ b,
        lambda a, b: (2 * a) @ b * 3,  # of results, which lie otherwise than parameters
        lambda a, b: (a @ b) @ (a @ b).mT if not isinstance(a, Node) else (a @ b) @ (a @ b).T,
    ]
    operands = random_values(shapes, -2, 2, 1, dtype)
    for formula in formulas:
        shape = Compiled(formula, operands, np.ones((), dtype)).shape
        factors = weights(shape, dtype)
        value, gradients = Compiled(formula, operands, factors).differentiate()
        expected, expected_gradients = torch_differentiate(formula, operands, factors)
        for ours, theirs in zip([value, *gradients], [expected, *expected_gradients], strict=True):
            assert_close(ours, theirs, relative)


def heads(a: Node) -> Node:
    return permute(reshape(a, (SAMPLES, 4, 2, 3)), (0, 2, 1, 3))


def attention(runs: int, dtype: str) -> tuple[Graph, Node]:
    """Sequences of 4 of 6 features, which two heads compare with each other."""
    graph = Graph(runs, dtype)
    x = graph.input("x", (SAMPLES, 4, 6))
    q, k, v = (heads(x @ graph.parameter(name, (6, 6)).T) for name in "qkv")
    mixed = permute((q @ k.T) @ v, (0, 2, 1, 3))
    out = reshape(mixed, (SAMPLES, 4, 6)) @ graph.parameter("o", (6, 2))
    return graph, (out * out + graph.parameter("b", (2,))).mean()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_each_of_many_runs_is_that_run_alone(dtype: str, shared: bool) -> None:
    runs, samples, random = 3, 5, np.random.default_rng(1)
    x = random.normal(size=(1 if shared else runs, samples, 4, 6)).astype(dtype)
    graph, loss = attention(runs, dtype)
    graph.parameters[:] = random.normal(size=graph.parameters.shape)
    options = {"samples": samples, "differentiate": True, "shared_inputs": shared}
    program = graph.compile(loss, **options)
    program.feed(x=x)
    together = program.gradients().copy()
    for run in range(runs):
        alone, loss = attention(1, dtype)
        alone.parameters[:] = graph.parameters[run]
        program = alone.compile(loss, **options)
        program.feed(x=x[:1] if shared else x[run : run + 1])
        assert program.gradients()[0] == together[run]
        np.testing.assert_array_equal(alone.gradients[0], graph.gradients[run])


def test_the_gradient_of_one_matrix_is_summed_within_the_product() -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2, 100)), graph.parameter("w", (100, 100))
    program = graph.compile((x @ w).sum(), samples=50, differentiate=True)
    # 50 matrices of 100 x 100 would take 4 MB, what is fed and its products take 80 KB each.
    assert program.nbytes < 400_000
