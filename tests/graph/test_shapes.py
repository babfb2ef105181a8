"""What changes a shape or takes a part: against torch, and what it refuses."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from differentiation import Compiled, random_values, torch_differentiate, weights
from torch.nn import functional

import stages.graph
from stages.graph import (
    SAMPLES,
    Graph,
    Node,
    broadcast_to,
    concatenate,
    cross_entropy,
    embedding,
    expand_dims,
    flatten,
    gather,
    movedim,
    pad,
    permute,
    relu,
    reshape,
    squeeze,
    stack,
    take,
)

K = np.array([[2, 0, 2], [1, 1, 0]])

# Each here and in torch, of operands of the given shapes.
FORMULAS: dict[str, tuple[Callable[..., Node], Callable[..., Any], list[tuple[int, ...]]]] = {
    "reshape": (lambda a: reshape(a, (4, -1)), lambda a: a.reshape(4, -1), [(2, 3, 4)]),
    "reshape of a product": (
        lambda a, b: reshape(a @ b, (3, 2, 2)) * 2,
        lambda a, b: (a @ b).reshape(3, 2, 2) * 2,
        [(4, 3), (3, 3)],
    ),
    "reshape of what is also read as it is": (
        lambda a, b: reshape(a * b, (3, 2)) @ (a * b),
        lambda a, b: (a * b).reshape(3, 2) @ (a * b),
        [(2, 3), (2, 3)],
    ),
    "flatten": (flatten, lambda a: a.flatten(1), [(2, 3, 2, 2)]),
    "flatten of a view": (
        lambda a: flatten(permute(a, (1, 2, 0)), 0, 1),
        lambda a: a.permute(1, 2, 0).flatten(0, 1),
        [(2, 3, 4)],
    ),
    "broadcast_to": (
        lambda a: broadcast_to(a, (4, 2, 3)),
        lambda a: a.broadcast_to(4, 2, 3),
        [(2, 1)],
    ),
    "expand_dims": (lambda a: expand_dims(a, (0, -1)), lambda a: a[None, ..., None], [(2, 3)]),
    "squeeze": (lambda a: squeeze(a, (0, -1)), lambda a: a.squeeze((0, -1)), [(1, 2, 1)]),
    "permute": (lambda a: permute(a, (2, 0, 1)), lambda a: a.permute(2, 0, 1), [(2, 3, 4)]),
    "movedim": (lambda a: movedim(a, -1, 1), lambda a: a.movedim(-1, 1), [(2, 3, 4)]),
    "a number": (lambda a: a[1], lambda a: a[1], [(2, 3)]),
    "numbers from the end": (lambda a: a[-1, -2], lambda a: a[-1, -2], [(2, 3)]),
    "slices": (lambda a: a[1:, ::2], lambda a: a[1:, ::2], [(3, 4)]),
    "steps past the end": (lambda a: a[1:9:3], lambda a: a[1:9:3], [(5,)]),
    "new axes and ...": (
        lambda a: a[None, ..., 1, None],
        lambda a: a[None, ..., 1, None],
        [(3, 4)],
    ),
    "all of it": (lambda a: a[...] * a[:], lambda a: a[...] * a[:], [(3, 4)]),
    "nothing": (lambda a: a[:, 2:2], lambda a: a[:, 2:2], [(3, 4)]),
    "parts that overlap": (
        lambda a: a[1:] * a[:-1] + a[::2].sum(),
        lambda a: a[1:] * a[:-1] + a[::2].sum(),
        [(5, 2)],
    ),
    "a product of parts": (
        lambda a, b: a[..., ::2] @ b[1:3],
        lambda a, b: a[..., ::2] @ b[1:3],
        [(2, 2, 4), (4, 3)],
    ),
    "integers": (lambda a: a[K], lambda a: a[torch.tensor(K)], [(3, 2)]),
    "integers along another axis": (
        lambda a: a[1:, K],
        lambda a: a[1:, torch.tensor(K)],
        [(3, 3, 2)],
    ),
    "take": (
        lambda a: take(a, K[0], -1),
        lambda a: a.index_select(-1, torch.tensor(K[0])),
        [(2, 2, 3)],
    ),
    "take with one index": (
        lambda a: take(a, np.array(1), 1),
        lambda a: a.select(1, 1),
        [(2, 3)],
    ),
    "embedding": (
        lambda a, b: embedding(K, a * b) @ b,
        lambda a, b: functional.embedding(torch.tensor(K), a * b) @ b,
        [(3, 3), (3, 3)],
    ),
    "gather": (lambda a: gather(a, K, 0), lambda a: a.gather(0, torch.tensor(K)), [(3, 4)]),
    "gather along the last": (
        lambda a: gather(a * a, K, -1),
        lambda a: (a * a).gather(-1, torch.tensor(K)),
        [(2, 4)],
    ),
    "concatenate": (
        lambda a, b: concatenate([a, b, a], 1),
        lambda a, b: torch.cat([a, b, a], 1),
        [(2, 3), (2, 1)],
    ),
    "concatenate images": (
        lambda a, b: concatenate([a * 2, b], -3) * 3,
        lambda a, b: torch.cat([a * 2, b], -3) * 3,
        [(2, 1, 2, 3), (2, 2, 2, 3)],
    ),
    "concatenate with numbers": (
        lambda a: concatenate([a, np.ones(2), a]),
        lambda a: torch.cat([a, torch.ones(2, dtype=a.dtype), a]),
        [(3,)],
    ),
    "stack": (
        lambda a, b: stack([a, b], -1),
        lambda a, b: torch.stack([a, b], -1),
        [(2, 3), (2, 3)],
    ),
    "pad": (
        lambda a: pad(a, [(0, 1), (2, 0)], 1.5),
        lambda a: functional.pad(a, (2, 0, 0, 1), value=1.5),
        [(2, 3)],
    ),
    "pad with nothing": (lambda a: pad(a, [(0, 0)]), lambda a: a * 1, [(2,)]),
    # sizes of 0
    "concatenate with nothing": (
        lambda a, b: concatenate([a[:, :0], b], 1),
        lambda a, b: torch.cat([a[:, :0], b], 1),
        [(2, 3), (2, 2)],
    ),
    "take none": (lambda a: take(a, K[:0], 0), lambda a: a[torch.tensor(K[:0])], [(3, 2)]),
    "gather none": (
        lambda a: gather(a, K[:0], 0),
        lambda a: a.gather(0, torch.tensor(K[:0])),
        [(3, 3)],
    ),
    "pad nothing": (
        lambda a: pad(a[:0], [(1, 2), (0, 1)], 3),
        lambda a: functional.pad(a[:0], (0, 1, 1, 2), value=3),
        [(3, 2)],
    ),
    "reshape nothing": (
        lambda a: reshape(a[:, :0], (0, 5)),
        lambda a: a[:, :0].reshape(0, 5),
        [(3, 2)],
    ),
    "a product of nothing": (
        lambda a, b: a[:, :0] @ b[:0],
        lambda a, b: a[:, :0] @ b[:0],
        [(2, 3), (2, 4)],
    ),
    "images": (
        lambda a, b: relu(flatten(permute(a, (0, 2, 3, 1)) * b) @ np.ones((12, 2))),
        lambda a, b: torch.relu(
            (a.permute(0, 2, 3, 1) * b).flatten(1) @ torch.ones(12, 2, dtype=a.dtype)
        ),
        [(2, 3, 2, 2), (3,)],
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients_are_those_of_torch(name: str, dtype: str) -> None:
    ours, theirs, shapes = FORMULAS[name]
    operands = random_values(shapes, -2, 2, 1, dtype)
    shape = tuple(theirs(*(torch.tensor(operand[0]) for operand in operands)).shape)
    factors = weights(shape, dtype)
    compiled = Compiled(ours, operands, factors)
    assert compiled.shape == shape
    tolerance = 1e-14 if dtype == "float64" else 2e-6
    for _ in range(2):  # and nothing may be left of the first
        value, gradients = compiled.differentiate()
        their_value, their_gradients = torch_differentiate(theirs, operands, factors)
        np.testing.assert_allclose(value, their_value, tolerance)
        for own, other in zip(gradients, their_gradients, strict=True):
            np.testing.assert_allclose(own, other, tolerance, tolerance)


@pytest.mark.parametrize(
    "name", ["pad with nothing", "steps past the end", "concatenate with numbers", "a number"]
)
def test_infinities_and_what_is_no_number_pass_as_in_torch(name: str) -> None:
    ours, theirs, shapes = FORMULAS[name]
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0]
    operands = [np.resize(special, (1, *shape)) for shape in shapes]
    shape = tuple(theirs(*(torch.tensor(operand[0]) for operand in operands)).shape)
    factors = np.resize([np.nan, 2.0, np.inf, -1.0], shape)
    with np.errstate(invalid="ignore"):
        value, gradients = Compiled(ours, operands, factors).differentiate()
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    for own, other in zip([value, *gradients], [their_value, *their_gradients], strict=True):
        np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize("name", FORMULAS)
def test_each_of_many_runs_is_that_run_alone(name: str) -> None:
    ours, _, shapes = FORMULAS[name]
    operands = random_values(shapes, -2, 2, 1, "float32", runs=3)
    shape = Compiled(ours, operands, np.float32(1)).shape
    factors = weights(shape, "float32")
    value, gradients = Compiled(ours, operands, factors).differentiate()
    for run in range(3):
        own = [operand[run : run + 1] for operand in operands]
        own_value, own_gradients = Compiled(ours, own, factors).differentiate()
        for many, one in zip([value, *gradients], [own_value, *own_gradients], strict=True):
            np.testing.assert_array_equal(many[run], one[0])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_taken_often_adds_up_in_the_order_of_torch(axis: int, dtype: str) -> None:
    random = np.random.default_rng(1)
    indices = random.integers(3, size=(7, 30))
    (weight,) = random_values([(3, 3)], -2, 2, 1, dtype)

    def theirs(a: torch.Tensor) -> torch.Tensor:
        table = functional.embedding(torch.tensor(indices), a if axis == 0 else a.T)
        return table if axis == 0 else table.movedim(-1, 0)

    factors = random.normal(size=(7, 30, 3) if axis == 0 else (3, 7, 30)).astype(dtype)
    for operand in (weight[:1], weight):
        compiled = Compiled(lambda a: take(a, indices, axis), [operand], factors)
        (gradient,), (expected,) = (
            compiled.differentiate()[1],
            torch_differentiate(theirs, [operand], factors)[1],
        )
        np.testing.assert_array_equal(gradient, expected)


def test_each_run_may_take_by_indices_of_its_own() -> None:
    graph = Graph(runs=2)
    table, k = graph.parameter("table", (4, 2)), graph.input("k", (SAMPLES, 2), np.int32)
    taken = table[k]
    assert taken.shape == (SAMPLES, 2, 2)
    program = graph.compile((taken * taken).sum(), taken, samples=3, differentiate=True)
    graph.parameters[:] = np.arange(16.0).reshape(2, 8)
    indices = np.array([[[0, 1], [3, 3], [0, 3]], [[2, 2], [2, 2], [2, 1]]])
    program.feed(k=indices)
    program.gradients()
    tables = graph.views(graph.parameters)["table"]
    for run in range(2):
        np.testing.assert_array_equal(program.outputs[1][run], tables[run][indices[run]])
        counts = np.bincount(indices[run].reshape(-1), minlength=4)[:, None]
        expected = 2 * tables[run] * counts
        np.testing.assert_array_equal(graph.views(graph.gradients)["table"][run], expected)


def test_integers_change_their_shape_as_numbers_do() -> None:
    graph = Graph()
    tokens = graph.input("tokens", (SAMPLES, 4), np.int32)
    table = graph.parameter("table", (3, 3))
    logits = embedding(tokens[:, :-1], table)
    loss = cross_entropy(logits, tokens[:, 1:]) + cross_entropy(
        flatten(logits, 1, 2)[:, 6:], reshape(permute(tokens[..., None], (0, 2, 1)), (-1, 4))[:, 3]
    )
    program = graph.compile(loss, samples=2)
    graph.parameters[:] = np.arange(9.0) ** 2 / 10
    fed = np.array([[[0, 1, 2, 0], [2, 2, 1, 1]]], np.int32)
    program.feed(tokens=fed)
    program.forward()
    rows = torch.tensor(graph.parameters.reshape(3, 3))[torch.tensor(fed[0, :, :-1])]
    labels = torch.tensor(fed[0, :, 1:]).long()
    expected = functional.cross_entropy(rows.flatten(0, 1), labels.flatten())
    expected += functional.cross_entropy(rows[:, 2], labels[:, 2])
    assert program.outputs[0].item() == pytest.approx(expected.item(), rel=1e-14)


# Formulas of x (samples, 2, 3), w (2, 3) and k (samples,), which are integers.
REFUSED: dict[type[Exception], dict[str, str]] = {
    ValueError: {
        "reshape(x, (-1, -1, 6))": "reshape: only one size can be -1 in (-1, -1, 6), "
        "got (samples, 2, 3)",
        "reshape(w, (-2, 3))": "reshape: no size can be negative in (-2, 3), got (2, 3)",
        "reshape(w, (4, -1))": "reshape: the elements do not fill (4, -1), got (2, 3)",
        "reshape(w, (5,))": "reshape: the elements do not fill (5), got (2, 3)",
        "reshape(x, (12,))": "reshape: the elements do not fill (12), "
        "where the samples stay an axis of their own, got (samples, 2, 3)",
        "reshape(x, (-1, 2))": "reshape: the elements do not fill (-1, 2), "
        "where the samples stay an axis of their own, got (samples, 2, 3)",
        "reshape(x, (2, SAMPLES, 3))": "reshape: the elements do not fill (2, samples, 3), "
        "where the samples stay an axis of their own, got (samples, 2, 3)",
        "flatten(x, 0)": "flatten: the samples stay an axis of their own; "
        "flatten from the one behind on, got (samples, 2, 3)",
        "flatten(x, 2, 1)": "flatten: axis 2 comes behind axis 1, got (samples, 2, 3)",
        "flatten(w, 2)": "flatten: there is no axis 2, got (2, 3)",
        "broadcast_to(w, (3,))": "broadcast_to: it does not broadcast to (3), got (2, 3)",
        "broadcast_to(w, (3, 3))": "broadcast_to: the shapes do not broadcast, got (2, 3)",
        "expand_dims(w, 3)": "expand_dims: there is no axis 3, got (2, 3)",
        "squeeze(w, 1)": "squeeze: axis 1 must be of size 1, got (2, 3)",
        "squeeze(x, 0)": "squeeze: axis 0 must be of size 1, got (samples, 2, 3)",
        "permute(w, (0,))": "permute: axes (0,) must name each axis once, got (2, 3)",
        "permute(w, (0, -2))": "permute: axis (0, -2) names an axis twice, got (2, 3)",
        "x[0]": "[0]: the samples can only be taken whole, by :",
        "x[1:]": "[slice(1, None, None)]: the samples can only be taken whole, by :",
        "w[::-1]": "the step of a slice must be at least 1, got -1",
        "concatenate([w, w.T])": "concatenate: the shapes must be equal but for the axis to join, "
        "got (2, 3) and (3, 2)",
        "concatenate([x, x])": "concatenate: the samples cannot be joined, "
        "their number is not known here, got (samples, 2, 3) and (samples, 2, 3)",
        "stack([w, w], 3)": "expand_dims: there is no axis 3, got (2, 3)",
        "pad(w, [(1, 1)])": "pad: pad_width needs a pair for each axis, got 1 of them, got (2, 3)",
        "pad(w, [(1, 1), (-1, 0)])": "pad: pad_width ((1, 1), (-1, 0)) must not be negative, "
        "got (2, 3)",
        "pad(x, [(1, 0), (0, 0), (0, 0)])": "pad: the samples cannot be padded, "
        "got (samples, 2, 3)",
        "x[k]": "take: nothing can be taken from the samples, their number is not known here, "
        "got (samples, 2, 3) and (samples)",
        "gather(w, k, 0)": "gather: the indices need as many axes, got (2, 3) and (samples)",
        "gather(w, np.zeros((1, 4), int), 0)": "gather: the indices must not be larger "
        "but along the axis to gather, got (2, 3) and (1, 4)",
    },
    IndexError: {
        "w[2]": "index 2 is out of range for an axis of size 2",
        "w[:, -4]": "index -4 is out of range for an axis of size 3",
        "w[0, 0, 0]": "3 indices for w[2, 3]",
        "w[..., ...]": "an index can only have one ...",
        "w[0, k]": "take by one array of integers at a time, and by nothing but slices",
        "w[k, k]": "take by one array of integers at a time, and by nothing but slices",
    },
    TypeError: {
        "w[w]": "take: operand 2 must be an integer dtype, got float64",
        "w[[0.5]]": "take: operand 2 must be an integer dtype, got [0.5]",
        "w['a']": "take: operand 2 must be an integer dtype, got 'a'",
    },
}


@pytest.mark.parametrize(
    ("error", "formula"), [(error, formula) for error in REFUSED for formula in REFUSED[error]]
)
def test_a_mistake_is_refused_where_it_is_made(error: type[Exception], formula: str) -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2, 3)), graph.parameter("w", (2, 3))
    k = graph.input("k", (SAMPLES,), np.int64)
    with pytest.raises(error, match=f"^{re.escape(REFUSED[error][formula])}$"):
        eval(formula, {"np": np} | vars(stages.graph) | {"x": x, "w": w, "k": k})


@pytest.mark.parametrize(("index", "found"), [([0, 3], 3), ([-1, 7], -1)])
def test_an_index_outside_is_refused_when_it_is_fed(index: list[int], found: int) -> None:
    graph = Graph()
    table, k = graph.parameter("table", (3, 2)), graph.input("k", (SAMPLES,), np.int64)
    program = graph.compile(table[k].sum(), samples=2)
    with pytest.raises(IndexError, match=rf"^an index must be from 0 to 2, got {found}$"):
        program.feed(k=np.array([index]))


def test_samples_stay_an_axis_of_their_own() -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 2, 3))
    assert reshape(x, (-1, 6)).shape == (SAMPLES, 6)
    assert reshape(x, (SAMPLES, -1)).shape == (SAMPLES, 6)
    assert reshape(x, (-1, 3, 2)).shape == (SAMPLES, 3, 2)
    assert reshape(x, (1, SAMPLES, 6)).shape == (1, SAMPLES, 6)
    assert flatten(x).shape == (SAMPLES, 6)
    assert broadcast_to(graph.parameter("w", (3,)), (SAMPLES, 3)).shape == (SAMPLES, 3)
    assert [row.shape for row in permute(x, (1, 0, 2))] == [(SAMPLES, 3)] * 2


def test_views_cost_nothing_when_the_graph_runs() -> None:
    graph = Graph()
    w = graph.parameter("w", (4, 3, 2))
    views = [flatten(w), reshape(w, (2, -1)), permute(w, (2, 0, 1)), w[:, 1:], w[0], w[..., None]]
    program = graph.compile(*views)
    for view in program.outputs:
        assert np.shares_memory(view, graph.parameters)
