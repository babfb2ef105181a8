"""What a graph records, and what it refuses where the mistake is made."""

import re

import numpy as np
import pytest

import stages.graph
from stages.graph import SAMPLES, Graph, exp, log_softmax, relu

# Formulas of x (samples, 2), w (2, 3) and k (samples,), which are integers.
REFUSED: dict[type[Exception], dict[str, str]] = {
    ValueError: {
        "x + w": "add: the shapes do not broadcast, got (samples, 2) and (2, 3)",
        "w - np.ones(4)": "subtract: the shapes do not broadcast, got (2, 3) and (4)",
        "np.ones((5, 1)) * w": "multiply: the shapes do not broadcast, got (5, 1) and (2, 3)",
        "x / np.ones((7, 2))": "divide: the shapes do not broadcast, got (samples, 2) and (7, 2)",
        "maximum(w, w.T)": "maximum: the shapes do not broadcast, got (2, 3) and (3, 2)",
        "x @ w.T": "matmul: the last axis of the first and the last but one of the second differ, "
        "got (samples, 2) and (3, 2)",
        "x @ np.ones(2)": "matmul: both operands need two axes or more, got (samples, 2) and (2)",
        "np.ones((4, 1, 2)) @ (np.ones((5, 1, 1)) * w)": "matmul: "
        "the shapes do not broadcast, got (4, 1, 2) and (5, 2, 3)",
        "w.sum(0).T": "transpose: needs two axes or more, got (3)",
        "x.sum(2)": "sum: there is no axis 2, got (samples, 2)",
        "x.mean((0, -3))": "mean: there is no axis -3, got (samples, 2)",
        "x.sum((0, -2))": "sum: axis (0, -2) names an axis twice, got (samples, 2)",
        "half_mse(x.sum(1, keepdims=True), x.sum(1))": "half_mse: "
        "prediction and target must have the same shape, got (samples, 1) and (samples)",
        "cross_entropy(x, graph.input('column', (SAMPLES, 1), np.int64))": "cross_entropy: "
        "logits need one more axis than labels, the classes, got (samples, 2) and (samples, 1)",
        "accuracy(w, k)": "accuracy: "
        "logits need one more axis than labels, the classes, got (2, 3) and (samples)",
        "w + Graph().parameter('v', (3,))": "add: v[3] belongs to another graph",
        "graph.input('w', (1,))": "the graph has a node named w already",
        "graph.compile(relu(w), differentiate=True)": "compile: "
        "only a scalar has gradients, got relu[2, 3]",
        "graph.compile()": "compile: give at least one output, each a node of this graph",
        "graph.compile(Graph().parameter('v', ()))": "compile: "
        "give at least one output, each a node of this graph",
        "graph.compile(w, samples=0)": "compile: samples must be 1 or more, got 0",
        "Graph(runs=0)": "a graph needs at least one run, got 0",
    },
    TypeError: {
        "cross_entropy(x, x.sum(1))": "cross_entropy: "
        "operand 2 must be an integer dtype, got float64",
        "x.sum(1) + k": "add: operand 2 must be float64, got int64",
        "2 * k": "multiply: operand 2 must be float64, got int64",
        "relu(k)": "relu: operand 1 must be float64, got int64",
        "w + None": "add: operand 2 must be a node, a number or an array of numbers, got None",
        "'2' * w": "multiply: operand 1 must be a node, a number or an array of numbers, got '2'",
        "w - [1j]": "subtract: operand 2 must be a node, a number or an array of numbers, got [1j]",
        "exp(1.0)": "exp: needs at least one node of a graph, got (1.0,)",
        "Graph(dtype='float16')": "a graph computes in float64 or float32, got float16",
    },
}


@pytest.mark.parametrize(
    ("error", "formula"), [(error, formula) for error in REFUSED for formula in REFUSED[error]]
)
def test_a_mistake_is_refused_where_it_is_made(error: type[Exception], formula: str) -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2)), graph.parameter("w", (2, 3))
    k = graph.input("k", (SAMPLES,), np.int64)
    with pytest.raises(error, match=f"^{re.escape(REFUSED[error][formula])}$"):
        eval(formula, {"np": np} | vars(stages.graph) | {"graph": graph, "x": x, "w": w, "k": k})


def test_log_softmax_needs_an_axis() -> None:
    scalar = Graph(runs=2).parameter("w", ())
    with pytest.raises(ValueError, match=r"^log_softmax: "):
        log_softmax(scalar)


@pytest.mark.parametrize("dtype", [np.float32, bool, complex])
def test_an_input_of_a_dtype_that_no_operation_takes_is_refused(dtype: type) -> None:
    with pytest.raises(TypeError, match="float64"):
        exp(Graph().input("x", (SAMPLES,), dtype))


@pytest.mark.parametrize("shape", [(SAMPLES, 2), ("features",), (-1,)])
def test_a_parameter_whose_size_is_no_number_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, TypeError), match="w"):
        Graph().parameter("w", shape)


def test_a_parameter_comes_before_the_layout() -> None:
    graph = Graph()
    graph.parameter("w", (2,))
    assert graph.parameters.shape == (1, 2)
    with pytest.raises(ValueError, match=r"^parameter v: `parameters` is laid out already"):
        graph.parameter("v", (3,))


def test_a_formula_is_recorded_in_order() -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2)), graph.parameter("w", (3, 2))
    y = relu(x @ w.T + np.ones(3))
    operations = [node.operation for node in graph.nodes]
    assert operations == ["input", "parameter", "transpose", "matmul", "constant", "add", "relu"]
    assert [node.name for node in graph.nodes if node.name] == ["x", "w"]
    assert y.shape == (SAMPLES, 3)
    assert y.inputs == (graph.nodes[5],)
    assert y.dtype == np.float64
    assert [repr(node) for node in (w, y)] == ["w[3, 2]", "relu['samples', 3]"]


def test_parameters_lie_in_one_row_in_the_order_of_their_declaration() -> None:
    graph = Graph(runs=2, dtype="float32")
    for name, shape in [("b", (3,)), ("a", ()), ("c", (2, 2))]:
        graph.parameter(name, shape)
    rows = graph.parameters
    assert rows.shape == graph.gradients.shape == (2, 8)
    assert rows.dtype == graph.gradients.dtype == np.float32
    rows[:] = np.arange(16).reshape(2, 8)
    views = graph.views(rows)
    assert list(views) == ["b", "a", "c"]
    np.testing.assert_array_equal(views["b"], [[0, 1, 2], [8, 9, 10]])
    np.testing.assert_array_equal(views["a"], [3, 11])
    np.testing.assert_array_equal(views["c"], [[[4, 5], [6, 7]], [[12, 13], [14, 15]]])
    views["c"][1, 0, 1] = -1
    assert rows[1, 5] == -1


def test_shapes_follow_broadcasting_with_samples_as_a_size() -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2)), graph.parameter("w", (2,))
    assert (x + w).shape == (SAMPLES, 2)
    assert (x.sum(1, keepdims=True) * w).shape == (SAMPLES, 2)
    assert (x.mean(0) - 1).shape == (2,)
    assert (x @ x.T).shape == (SAMPLES, SAMPLES)
    assert (x.T @ x).shape == (2, 2)
    assert x.sum().shape == ()
    assert (np.ones((4, 1, 1)) * x).shape == (4, SAMPLES, 2)
