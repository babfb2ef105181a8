"""Convolutions and pooling against torch, at their edges too, and what they refuse."""

import re
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from differentiation import Compiled, assert_close, random_values, torch_differentiate, weights
from image_steps import LENET, SMALL, Net, graph_net, image_steps, torch_net
from torch.nn import functional

import stages.graph
from stages.graph import (
    SAMPLES,
    Graph,
    Node,
    Tiles,
    avg_pool2d,
    conv1d,
    conv2d,
    cross_entropy,
    flatten,
    max_pool2d,
    relu,
)

Shapes = list[tuple[int, ...]]

CONVOLUTIONS: dict[str, tuple[Shapes, dict[str, Any]]] = {
    "a row": ([(2, 3, 7), (4, 3, 3), (4,)], {"padding": 1}),
    "a row with gaps": ([(2, 2, 7), (4, 1, 2)], {"dilation": 3, "stride": 2, "groups": 2}),
    "images": ([(2, 3, 5, 4), (4, 3, 3, 2), (4,)], {}),
    "as large as the kernel": ([(2, 3, 3, 2), (4, 3, 3, 2)], {}),
    "one image of one pixel": ([(1, 1, 1, 1), (1, 1, 1, 1), (1,)], {}),
    "one pixel in padding": ([(2, 1, 1, 1), (2, 1, 3, 3)], {"padding": 1}),
    "pixel by pixel": ([(3, 4, 3, 3), (2, 4, 1, 1)], {}),
    "some pixels": ([(3, 2, 5, 6), (2, 2, 1, 1)], {"stride": 2}),
    "more stride than kernel": ([(2, 2, 7, 8), (3, 2, 2, 2)], {"stride": (3, 4)}),
    "more padding than kernel": ([(2, 1, 2, 3), (3, 1, 2, 1)], {"padding": (3, 2), "stride": 2}),
    "all at once": (
        [(2, 4, 7, 8), (6, 2, 3, 2), (6,)],
        {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 2},
    ),
    "channel by channel": ([(2, 3, 4, 4), (6, 1, 2, 2)], {"groups": 3}),
}

POOLS: dict[str, dict[str, Any]] = {
    "side by side": {"kernel_size": 2},
    "apart": {"kernel_size": 2, "stride": 3},
    "over each other": {"kernel_size": 3, "stride": 1},
    "all but the middle": {"kernel_size": 3, "stride": 2, "padding": 1},
    "one by one": {"kernel_size": 1},
    "all": {"kernel_size": 6},
}


def compare(
    ours: Callable[..., Node], theirs: Callable[..., Any], operands: list[Any], relative: float
) -> None:
    """Value and gradients; twice, for nothing may be left of the first time."""
    shape = tuple(theirs(*(torch.tensor(operand[0]) for operand in operands)).shape)
    factors = weights(shape, operands[0].dtype.name)
    compiled = Compiled(ours, operands, factors)
    assert compiled.shape == shape
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    for _ in range(2):
        value, gradients = compiled.differentiate()
        for own, other in zip([value, *gradients], [their_value, *their_gradients], strict=True):
            if relative:
                assert_close(own, other, relative)
            else:
                np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize(("dtype", "relative"), [("float64", 1e-14), ("float32", 5e-6)])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_are_those_of_torch(name: str, dtype: str, relative: float) -> None:
    shapes, options = CONVOLUTIONS[name]
    ours, theirs = (
        (conv1d, functional.conv1d) if len(shapes[0]) == 3 else (conv2d, functional.conv2d)
    )
    operands = random_values(shapes, -2, 2, 1, dtype)
    compare(lambda *o: ours(*o, **options), lambda *o: theirs(*o, **options), operands, relative)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("options", POOLS)
@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("dims", [1, 2])
def test_pooling_is_that_of_torch_bit_for_bit(
    dims: int, kind: str, options: str, whole: bool, dtype: str
) -> None:
    name = f"{kind}_pool{dims}d"
    shape = (2, 3, 7, 6)[: 2 + dims]
    operands = random_values([shape], -2, 2, 1, dtype)
    if whole:  # so that many in a window are equal
        operands = [np.round(operand) for operand in operands]
    ours, theirs = getattr(stages.graph, name), getattr(functional, name)
    compare(lambda a: ours(a, **POOLS[options]), lambda a: theirs(a, **POOLS[options]), operands, 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1, (2, 3), (7, 1), (5, 4), (9, 8)])
def test_adaptive_pooling_is_that_of_torch(size: Any, dtype: str) -> None:
    operands = random_values([(2, 3, 7, 6)], -2, 2, 1, dtype)
    for ours, theirs, own, shape in (
        (stages.graph.adaptive_avg_pool2d, functional.adaptive_avg_pool2d, size, (2, 3, 7, 6)),
        (
            stages.graph.adaptive_avg_pool1d,
            functional.adaptive_avg_pool1d,
            size if isinstance(size, int) else size[0],
            (2, 3, 7),
        ),
    ):
        operands = random_values([shape], -2, 2, 1, dtype)
        tolerance = 1e-15 if dtype == "float64" else 5e-7
        compare(lambda a: ours(a, own), lambda a: theirs(a, own), operands, tolerance)  # noqa: B023


@pytest.mark.parametrize("options", POOLS)
def test_infinities_and_what_is_no_number_are_pooled_as_in_torch(options: str) -> None:
    random = np.random.default_rng(1)
    for choices in ([-np.inf], [np.nan], [-np.inf, 0, np.inf], [-np.inf, -1, np.nan, 2, np.inf]):
        operands = [random.choice(choices, size=(2, 2, 2, 7, 6))]
        with np.errstate(invalid="ignore"):
            compare(
                lambda a: max_pool2d(a, **POOLS[options]),
                lambda a: functional.max_pool2d(a, **POOLS[options]),
                operands,
                0,
            )


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_gradient_that_is_no_number_stays_where_it_is_routed(dtype: str, runs: int) -> None:
    (a,) = random_values([(1, 1, 4, 4)], -2, 2, 1, dtype, runs)
    factors = np.array([[[[np.inf, 1], [np.nan, 2]]]], dtype)
    compiled = Compiled(lambda a: max_pool2d(a, 2), [a], factors)
    (gradient,) = compiled.differentiate()[1]
    _, (expected,) = torch_differentiate(lambda a: functional.max_pool2d(a, 2), [a], factors)
    np.testing.assert_array_equal(gradient, expected)


def network(runs: int, dtype: str) -> tuple[Graph, Node]:
    graph = Graph(runs, dtype)
    x, k = graph.input("x", (SAMPLES, 2, 6, 5)), graph.input("k", (SAMPLES,), np.int64)
    shapes = {"a": (4, 1, 3, 3), "b": (4,), "c": (3, 4, 2, 2), "d": (3,), "e": (3, 6)}
    p = {name: graph.parameter(name, shape) for name, shape in shapes.items()}
    y = max_pool2d(relu(conv2d(x, p["a"], p["b"], padding=1, groups=2)), 2)
    y = avg_pool2d(relu(conv2d(y, p["c"], p["d"], padding=(1, 0))), (2, 1))
    return graph, cross_entropy(flatten(y[:, :, :2]) @ p["e"].T, k)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [1, 5, 40])
def test_each_of_many_runs_is_that_run_alone(samples: int, dtype: str, shared: bool) -> None:
    runs, random = 4, np.random.default_rng(1)
    x = random.normal(size=(1 if shared else runs, samples, 2, 6, 5)).astype(dtype)
    k = random.integers(3, size=(len(x), samples))
    graph, loss = network(runs, dtype)
    graph.parameters[:] = random.normal(size=graph.parameters.shape)
    tiles = Tiles(graph, loss, differentiate=True, shared_inputs=shared, tile=16)
    tiles.feed(x=x, k=k)
    together = np.array(tiles.gradients())
    for run in range(runs):
        alone, loss = network(1, dtype)
        alone.parameters[:] = graph.parameters[run]
        tiles = Tiles(alone, loss, differentiate=True, shared_inputs=shared, tile=16)
        own = slice(0, 1) if shared else slice(run, run + 1)
        tiles.feed(x=x[own], k=k[own])
        assert tiles.gradients()[0] == together[run]
        np.testing.assert_array_equal(alone.gradients[0], graph.gradients[run])


def test_a_net_is_computed_with_every_result_rounded_otherwise() -> None:
    losses = []
    for factor in (1.0, 1 + 1e-12):
        graph, loss = network(1, "float64")
        graph.rounding = lambda values: lambda: np.multiply(values, factor, values)  # noqa: B023
        random = np.random.default_rng(1)
        graph.parameters[:] = random.normal(size=graph.parameters.shape)
        program = graph.compile(loss, samples=5, differentiate=True)
        x = random.normal(size=(1, 5, 2, 6, 5))
        program.feed(x=x, k=random.integers(3, size=(1, 5)))
        losses.append((program.gradients().item(), graph.gradients.copy()))
    (loss, gradients), (other_loss, other_gradients) = losses
    assert other_loss != loss
    assert other_loss == pytest.approx(loss, rel=1e-9)
    np.testing.assert_allclose(other_gradients, gradients, rtol=1e-8, atol=1e-12)


def test_a_step_takes_little_more_memory_than_its_values() -> None:
    samples, size = 32, 28
    graph, loss = graph_net(torch_net(LENET, size), size, runs=1)
    program = graph.compile(loss, samples=samples, differentiate=True)
    elements = sum(prod(node.shape[1:]) for node in graph.nodes if SAMPLES in node.shape)
    elements += 28 * 28 * 25 + 10 * 10 * 6 * 25  # what the windows of the convolutions see
    assert program.nbytes < 1.5 * elements * samples * 4


# Formulas of x (samples, 4, 5, 6) and w (2, 4, 3, 3).
REFUSED = {
    "conv2d(w[0], w)": "conv2d: the first operand must be (samples, channels, height, width), "
    "got (4, 3, 3) and (2, 4, 3, 3)",
    "conv1d(x, w)": "conv1d: the first operand must be (samples, channels, length), "
    "got (samples, 4, 5, 6) and (2, 4, 3, 3)",
    "conv2d(permute(x, (1, 0, 2, 3)), w)": "conv2d: the first operand must be "
    "(samples, channels, height, width), got (4, samples, 5, 6) and (2, 4, 3, 3)",
    "conv2d(x, w[0])": "conv2d: the weight must have 4 axes, none of samples, "
    "got (samples, 4, 5, 6) and (4, 3, 3)",
    "conv2d(x[:, :3], w)": "conv2d: the weight has other channels in than there are, "
    "got (samples, 3, 5, 6) and (2, 4, 3, 3)",
    "conv2d(x, w, groups=3)": "conv2d: the channels do not divide into 3 groups, "
    "got (samples, 4, 5, 6) and (2, 4, 3, 3)",
    "conv2d(x, w, groups=0)": "conv2d: the channels do not divide into 0 groups, "
    "got (samples, 4, 5, 6) and (2, 4, 3, 3)",
    "conv2d(x, w, dilation=3)": "conv2d: a window of (7, 7) does not fit into (5, 6), "
    "padding included, got (samples, 4, 5, 6) and (2, 4, 3, 3)",
    "conv2d(x, w, stride=0)": "conv2d: stride must be 2 numbers from 1 on, or one for all, got 0",
    "conv2d(x, w, padding=(1, 2, 3))": "conv2d: padding must be 2 numbers from 0 on, "
    "or one for all, got (1, 2, 3)",
    "conv2d(x, w, w[0, :3, 0, 0])": "conv2d: the bias must be (2,), got (3,)",
    "max_pool2d(x, 7)": "max_pool2d: a window of (7, 7) does not fit into (5, 6), "
    "padding included, got (samples, 4, 5, 6)",
    "avg_pool2d(x, 2, padding=2)": "avg_pool2d: padding (2, 2) must be half of the windows (2, 2) "
    "at most, got (samples, 4, 5, 6)",
    "max_pool1d(x, 2)": "max_pool1d: the first operand must be (samples, channels, length), "
    "got (samples, 4, 5, 6)",
    "adaptive_avg_pool2d(x, 0)": "adaptive_avg_pool2d: output_size must be 2 numbers from 1 on, "
    "or one for all, got 0",
}


@pytest.mark.parametrize("formula", REFUSED)
def test_a_mistake_is_refused_where_it_is_made(formula: str) -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 4, 5, 6)), graph.parameter("w", (2, 4, 3, 3))
    with pytest.raises(ValueError, match=f"^{re.escape(REFUSED[formula])}$"):
        eval(formula, vars(stages.graph) | {"x": x, "w": w})


@pytest.mark.parametrize("net", [SMALL, LENET])
def test_a_net_trains_as_it_does_in_torch(net: Net) -> None:
    numpy, torch_ = image_steps(net, 28, 5, runs=2)
    for _ in range(3):
        np.testing.assert_allclose(numpy(), torch_(), rtol=1e-5)
