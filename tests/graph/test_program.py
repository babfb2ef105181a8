"""Programs of many shapes against torch: memory that is still in use must never be given away."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network
from numpy.typing import NDArray

from stages.graph import (
    SAMPLES,
    Graph,
    Node,
    Program,
    cross_entropy,
    exp,
    half_mse,
    log_softmax,
    maximum,
    relu,
    sigmoid,
    tanh,
)
from stages.optim import SGD, Adam

Array = NDArray[Any]
Values = list[Any]

# Each operation here and in torch. Values stay moderate and each derivative exists.
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b),
    "multiply": (lambda a, b: a * b, lambda a, b: a * b),
    "divide": (lambda a, b: a / exp(tanh(b)), lambda a, b: a / torch.exp(torch.tanh(b))),
    "maximum": (maximum, torch.maximum),
    "matmul": (lambda a, b: a @ b, lambda a, b: a @ b),
    "relu": (lambda a, _: relu(a), lambda a, _: torch.relu(a)),
    "tanh": (lambda a, _: tanh(a), lambda a, _: torch.tanh(a)),
    "sigmoid": (lambda a, _: sigmoid(a), lambda a, _: torch.sigmoid(a)),
    "negative": (lambda a, _: -a, lambda a, _: -a),
    "squared": (lambda a, _: a**2, lambda a, _: a**2),
    "1 - 2a": (lambda a, _: 1 - 2 * a, lambda a, _: 1 - 2 * a),
    "times 1": (lambda a, _: a * 1, lambda a, _: a * 1),
    "times 0": (lambda a, _: a * 0, lambda a, _: a * 0),
    "transpose": (lambda a, _: a.T, lambda a, _: a.mT),
    "sum": (lambda a, _: a.sum(), lambda a, _: a.sum()),
    "row sums": (lambda a, _: a.sum(-1, keepdims=True), lambda a, _: a.sum(-1, keepdim=True)),
    "column means": (lambda a, _: a.mean(0), lambda a, _: a.mean(0)),
    "log_softmax": (lambda a, _: log_softmax(a), lambda a, _: torch.log_softmax(a, -1)),
}

PARAMETERS: list[tuple[int, ...]] = [(2,), (2, 2), (), (1, 2), (2, 1), (2, 2), ()]
CONSTANT = np.array([[0.5, -1.0], [2.0, 0.25]])
LEAVES = 1 + len(PARAMETERS) + 1

# An operation and its operands' positions among all values so far, mostly the last ones.
Step = tuple[str, int, int]
STEP = st.tuples(
    st.sampled_from(sorted(OPERATIONS)),
    st.integers(-3, LEAVES - 1),
    st.integers(-5, LEAVES - 1),
)


def extend(values: Values, steps: list[Step], side: int) -> None:
    for name, first, second in steps:
        values.append(OPERATIONS[name][side](values[first], values[second]))


def fitting(values: Values, steps: list[Step]) -> list[Step]:
    """The steps whose shapes fit, which are recorded."""
    kept = []
    for step in steps:
        name, first, _ = step
        if name in ("log_softmax", "row sums", "column means") and not values[first].shape:
            continue  # torch sees a scalar as a row of one
        try:
            extend(values, [step], 0)
        except ValueError:
            continue
        kept.append(step)
    return kept


def by_torch(
    steps: list[Step], outputs: list[int], used: list[int], x: Array, parameters: list[Array]
) -> tuple[list[Array], list[Array]]:
    leaves = [torch.tensor(parameter, requires_grad=True) for parameter in parameters]
    values: Values = [torch.from_numpy(x), *leaves, torch.from_numpy(CONSTANT)]
    extend(values, steps, 1)
    loss = sum(torch.tanh(values[position]).mean() for position in used)
    if loss.requires_grad:
        loss.backward()
    zero = [np.zeros(parameter.shape) for parameter in parameters]
    gradients = [z if w.grad is None else w.grad.numpy() for z, w in zip(zero, leaves, strict=True)]
    found = [loss, *(values[position] for position in outputs)]
    return [value.detach().numpy() for value in found], gradients


@settings(max_examples=300)
@given(
    steps=st.lists(STEP, min_size=1, max_size=14),
    outputs=st.lists(st.integers(-4, LEAVES - 1), max_size=3),
    used=st.lists(st.integers(-4, LEAVES - 1), min_size=1, max_size=3),
    samples=st.integers(1, 3),
    runs=st.integers(1, 2),
    seed=st.integers(0, 2**32),
)
def test_random_programs_agree_with_torch(
    steps: list[Step], outputs: list[int], used: list[int], samples: int, runs: int, seed: int
) -> None:
    graph = Graph(runs)
    values: Values = [graph.input("x", (SAMPLES, 2))]
    values += [graph.parameter(f"w{i}", shape) for i, shape in enumerate(PARAMETERS)]
    values.append(graph.constant(CONSTANT))
    steps = fitting(values, steps)
    loss = sum(tanh(values[position]).mean() for position in used)
    assert isinstance(loss, Node)
    program = graph.compile(
        loss, *(values[position] for position in outputs), samples=samples, differentiate=True
    )
    random = np.random.default_rng(seed)
    for _ in range(2):  # the second time on other numbers: nothing may be left of the first
        parameters = random.uniform(-2, 2, graph.parameters.shape)
        x = random.uniform(-2, 2, (runs, samples, 2))
        np.copyto(graph.parameters, parameters)
        program.feed(x=x)
        for _ in range(2):  # and neither backward nor forward may touch what the next one reads
            for view in used_gradients(graph, loss):
                view.fill(np.nan)
            program.forward()
            program.backward()
        np.testing.assert_array_equal(graph.parameters, parameters)
        gradients = list(graph.views(graph.gradients).values())
        for run in range(runs):
            own = [view[run] for view in graph.views(parameters).values()]
            their_outputs, their_gradients = by_torch(steps, outputs, used, x[run], own)
            for ours, theirs in zip(program.outputs, their_outputs, strict=True):
                close(ours[run if len(ours) > 1 else 0], theirs)
            for ours, theirs in zip(gradients, their_gradients, strict=True):
                close(ours[run], theirs)


def used_gradients(graph: Graph, loss: Node) -> list[Array]:
    """The gradients of the parameters that the loss depends on."""
    seen, pending = set(), [loss]
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending.extend(node.inputs)
    views = graph.views(graph.gradients)
    return [views[node.name] for node in seen if node.operation == "parameter"]


def close(ours: Array, theirs: Array) -> None:
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max(initial=1)
    if scale < 1e6:  # beyond, a difference of two large numbers has no digits left
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * scale)


def run(program: Program, **inputs: Array) -> None:
    program.feed(**inputs)
    program.forward()
    program.backward()


def test_two_parameters_with_the_same_gradient() -> None:
    graph = Graph()
    v, w = graph.parameter("v", (2,)), graph.parameter("w", (2,))
    program = graph.compile(((v + w) ** 2).sum(), differentiate=True)
    graph.parameters[:] = [[1.0, 2.0, 3.0, 4.0]]
    run(program)
    np.testing.assert_array_equal(graph.gradients, [[8.0, 12.0, 8.0, 12.0]])


def test_gradients_that_are_known_when_inputs_are_fed_are_written_at_every_step() -> None:
    graph = Graph()
    v, w, x = graph.parameter("v", (2,)), graph.parameter("w", (2,)), graph.input("x", (2,))
    program = graph.compile((v * x).sum() + (w * x**2).sum(), differentiate=True)
    run(program, x=np.array([[2.0, 3.0]]))
    graph.gradients[:] = np.nan
    program.forward()
    program.backward()
    np.testing.assert_array_equal(graph.gradients, [[2.0, 3.0, 4.0, 9.0]])


def test_a_gradient_of_a_known_number_counts_the_elements_that_were_broadcast() -> None:
    graph = Graph()
    v, w = graph.parameter("v", (3, 2)), graph.parameter("w", (2,))
    run(graph.compile((v + w).sum(), differentiate=True))
    np.testing.assert_array_equal(graph.gradients, [[1.0] * 6 + [3.0] * 2])


def test_an_unused_parameter_has_gradient_0() -> None:
    graph = Graph()
    v, w = graph.parameter("v", ()), graph.parameter("w", ())
    first = graph.compile(v * v, differentiate=True)
    second = graph.compile(w * w, differentiate=True)
    graph.parameters[:] = 3.0
    run(first)
    np.testing.assert_array_equal(graph.gradients, [[6.0, 0.0]])
    run(second)  # whatever another program of the graph left there
    np.testing.assert_array_equal(graph.gradients, [[0.0, 6.0]])


def test_the_same_output_twice_and_outputs_that_are_inputs_parameters_and_numbers() -> None:
    graph = Graph(runs=2)
    w, x = graph.parameter("w", (2,)), graph.input("x", (SAMPLES, 2))
    y = x * w
    nine = graph.constant(2.0) ** 3 + 1
    program = graph.compile(y.sum(), y, y, x, w, nine, samples=1, differentiate=True)
    graph.parameters[:] = [[2.0, 3.0], [4.0, 5.0]]
    run(program, x=np.array([[[1.0, 10.0]], [[1.0, 100.0]]]))
    product = [[[2.0, 30.0]], [[4.0, 500.0]]]
    expected = [[32, 504], product, product, [[[1, 10]], [[1, 100]]], [[2, 3], [4, 5]], [9]]
    for output, numbers in zip(program.outputs, expected, strict=True):
        np.testing.assert_array_equal(output, numbers)


def test_constants_need_no_feed() -> None:
    graph = Graph()
    w = graph.parameter("w", (2,))
    program = graph.compile((w * exp(graph.constant(np.array([0.0, 1.0])))).sum())
    graph.parameters[:] = [[1.0, 2.0]]
    program.forward()
    np.testing.assert_allclose(program.outputs[0], [1 + 2 * np.e])


def test_0_and_minus_0_are_different_constants() -> None:
    graph = Graph()
    w = graph.parameter("w", ())
    program = graph.compile(1 / (w * 0.0), 1 / (w * -0.0))
    graph.parameters[:] = 1.0
    with np.errstate(divide="ignore"):
        program.forward()
    assert [output.item() for output in program.outputs] == [np.inf, -np.inf]


def test_a_value_from_outside_is_copied() -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 1))
    program = graph.compile(x.mean(), samples=2)
    numbers = np.array([[[1.0], [3.0]]])
    program.feed(x=numbers)
    numbers[:] = 0
    program.forward()
    assert program.outputs[0].item() == 2


def test_feed_refuses_what_does_not_fit() -> None:
    graph = Graph(runs=2)
    w, x, k = graph.parameter("w", (2, 3)), graph.input("x", (SAMPLES, 2)), graph.input("k", (4,))
    program = graph.compile((x @ w).mean() + k.mean(), samples=5)
    full, four = np.ones((2, 5, 2)), np.ones((2, 4))
    program.feed(x=full, k=four)
    program.feed(x=full[:1], k=four[:1])  # the same for all runs
    with pytest.raises(KeyError, match="k"):
        program.feed(x=full)
    for x_shape in [(2, 4, 2), (3, 5, 2), (2, 5, 3), (4, 2)]:
        with pytest.raises(ValueError):  # noqa: PT011 - in NumPy's words
            program.feed(x=np.ones(x_shape), k=four)
    with pytest.raises(TypeError):
        program.feed(x=full, k=four.astype(complex))


def test_what_is_fed_is_named_where_it_is_wrong() -> None:
    graph = Graph()
    x, k = graph.input("x", (SAMPLES,)), graph.input("k", (SAMPLES,), np.int64)
    program = graph.compile(x.mean(), samples=2)
    numbers = np.ones((1, 2))
    program.feed(x=numbers, k=np.zeros((1, 2), int))  # an input of the graph, though of no use here
    for error, line, fed in (
        (KeyError, "input x: is missing", {"k": numbers}),
        (KeyError, "input y: the graph has only x, k", {"x": numbers, "y": numbers}),
        (TypeError, "input x: must be an array, got [1.0, 2.0]", {"x": [1.0, 2.0]}),
        (TypeError, "input x: must be an array, got None", {"x": None}),
    ):
        with pytest.raises(error) as caught:
            program.feed(**fed)
        assert caught.value.args == (line,)
    assert k.shape == (SAMPLES,)


@pytest.mark.parametrize("shape", [(1, 1, 2), (1, 5, 1), (5, 2), ()])
def test_feed_repeats_nothing_but_runs(shape: tuple[int, ...]) -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 2))
    program = graph.compile(x.mean(), samples=5)
    with pytest.raises(ValueError):  # noqa: PT011 - in NumPy's words
        program.feed(x=np.ones(shape))


@pytest.mark.parametrize("optimizer", [SGD(0.1, 0.9, 0, 0.1, True), Adam(amsgrad=True)])
def test_a_step_allocates_nothing(optimizer: SGD | Adam) -> None:
    net = network([100, 500, 10], "relu", "cross_entropy")
    program = net.graph.compile(net.loss, samples=200, differentiate=True)
    random = np.random.default_rng(1)
    net.graph.parameters[:] = random.normal(size=net.graph.parameters.shape)
    inputs = {"x": random.normal(size=(1, 200, 100)), "target": random.integers(10, size=(1, 200))}

    def step() -> None:
        run(program, **inputs)
        optimizer(net.graph.parameters, net.graph.gradients)

    step()
    step()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            step()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # NumPy converts booleans to floats by way of a buffer of 8192 numbers, 64 KiB, which it frees.
    # The hidden layer's values and the parameters are 780 KiB and 430 KiB.
    assert peak - before < 80 * 1024
    assert after - before < 1024


@pytest.mark.parametrize("differentiate", [False, True])
def test_no_result_overlaps_an_operand_that_is_read_in_another_order(differentiate: bool) -> None:
    """NumPy would see it and copy the operand at every step: right, but slow."""
    graph = Graph()
    y = 2 * graph.parameter("w", (200, 200))
    z = (y @ y) * 3
    program = graph.compile((z - z.T).sum(), differentiate=differentiate)
    graph.parameters[:] = np.random.default_rng(1).normal(size=graph.parameters.shape)
    run(program)
    tracemalloc.start()
    try:
        run(program)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200 * 200 * 8 / 2


def test_memory_is_used_again() -> None:
    graph = Graph()
    w, x = graph.parameter("w", ()), graph.input("x", (SAMPLES,))
    y = w * x
    for _ in range(50):
        y = 1 - 2 * y
    forward = graph.compile(y.mean(), samples=1000)
    both = graph.compile(y.mean(), samples=1000, differentiate=True)
    assert forward.nbytes < 3 * 8000  # x, and one buffer for all the rest
    assert both.nbytes < 4 * 8000


def test_what_rounds_is_followed_by_the_rounding_of_the_graph() -> None:
    graph = Graph()
    x, p = graph.input("x", (SAMPLES, 2)), graph.parameter("p", (2,))
    product = x * p
    graph.rounding = lambda values: lambda: np.multiply(values, 2, values)
    program = graph.compile(product, relu(product), -product, samples=3)
    graph.rounding = None
    exact = graph.compile(product, samples=3)
    graph.parameters[:] = 1.0, -3.0
    fed = np.arange(6.0).reshape(1, 3, 2)
    for one in (program, exact):
        run(one, x=fed)
    doubled = 2 * fed * graph.parameters
    for found, expected in zip(
        [*program.outputs, *exact.outputs],
        [doubled, np.maximum(doubled, 0), -doubled, doubled / 2],
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_float32_programs_compute_in_float32() -> None:
    graph = Graph(dtype="float32")
    w, x = graph.parameter("w", (2, 3)), graph.input("x", (SAMPLES, 2))
    k = graph.input("k", (SAMPLES,), np.int64)
    loss = cross_entropy(sigmoid(x @ w) / 3 + np.ones(3), k) + half_mse(x @ w, x @ w)
    program = graph.compile(loss, samples=4, differentiate=True)
    run(program, x=np.ones((1, 4, 2), np.float32), k=np.zeros((1, 4), np.int64))
    assert program.outputs[0].dtype == graph.gradients.dtype == np.float32
