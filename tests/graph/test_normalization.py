"""The normalisations against torch's own, with weight and bias and at the edges."""

from typing import Any

import numpy as np
import pytest
import torch
from differentiation import Compiled, assert_close, random_values, torch_differentiate, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from stages.graph import SAMPLES, Graph, batch_norm, group_norm, layer_norm, rms_norm

# In rows without any spread torch is off by its rounding, divided by √eps.
TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
Shape = tuple[int, ...]


def last(x: Any) -> Shape:
    return tuple(x.shape[1:])


def groups(x: Any) -> int:
    return x.shape[1] if x.shape[1] % 2 else 2


# Ours, torch's, and the shapes of weight and bias for the shape of x.
NORMS: dict[str, tuple[Any, Any, Any]] = {
    "layer_norm": (
        lambda x, w, b: layer_norm(x, last(x), w, b),
        lambda x, w, b: functional.layer_norm(x, last(x), w, b),
        lambda shape: (shape[1:], shape[1:]),
    ),
    "layer_norm alone": (
        lambda x: layer_norm(x, last(x), eps=0.1),
        lambda x: functional.layer_norm(x, last(x), eps=0.1),
        lambda shape: (),
    ),
    "rms_norm": (
        lambda x, w: rms_norm(x, last(x), w, 1e-2),
        lambda x, w: functional.rms_norm(x, last(x), w, 1e-2),
        lambda shape: (shape[1:],),
    ),
    "batch_norm": (
        lambda x, w, b: batch_norm(x, weight=w, bias=b),
        lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
        lambda shape: (shape[1:2], shape[1:2]),
    ),
    "group_norm": (
        lambda x, w, b: group_norm(x, groups(x), w, b),
        lambda x, w, b: functional.group_norm(x, groups(x), w, b),
        lambda shape: (shape[1:2], shape[1:2]),
    ),
    "group_norm alone": (
        lambda x: group_norm(x, groups(x), eps=0.1),
        lambda x: functional.group_norm(x, groups(x), eps=0.1),
        lambda shape: (),
    ),
    "batch_norm alone": (
        batch_norm,
        lambda x: functional.batch_norm(x, None, None, training=True),
        lambda shape: (),
    ),
}


def compare(name: str, operands: list[np.ndarray], tolerance: float) -> None:
    ours, theirs, _ = NORMS[name]
    factors = weights(operands[0].shape[1:], str(operands[0].dtype))
    value, gradients = Compiled(ours, operands, factors).differentiate()
    their_value, their_gradients = torch_differentiate(theirs, operands, factors)
    assert_close(value, their_value, tolerance)
    for own, other in zip(gradients, their_gradients, strict=True):
        assert_close(own, other, tolerance)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NORMS)
def test_value_and_gradients_are_those_of_torch(name: str, dtype: str) -> None:
    @settings(max_examples=30)
    @given(
        samples=st.integers(2, 40),
        sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3),
        seed=st.integers(0, 2**32),
    )
    def check(samples: int, sizes: list[int], seed: int) -> None:
        shape = (samples, *sizes)
        shapes = (shape, *NORMS[name][2](shape))
        compare(name, random_values(shapes, -2, 2, seed, dtype), TOLERANCE[dtype])

    check()


@pytest.mark.parametrize("value", [0.0, -3.0, 0.5])
@pytest.mark.parametrize("name", NORMS)
def test_rows_without_any_spread_are_as_in_torch(name: str, value: float) -> None:
    shape = (4, 3, 2)
    others = random_values(NORMS[name][2](shape), -2, 2, 1, "float64")
    compare(name, [np.full((2, *shape), value), *others], TOLERANCE["float64"])


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_rows_of_zeros_without_an_eps_are_not_numbers_as_in_torch(name: str) -> None:
    ours, theirs = {"layer_norm": layer_norm, "rms_norm": rms_norm}[name], getattr(functional, name)
    operands, factors = [np.zeros((1, 2, 3))], np.ones((2, 3))
    with np.errstate(all="ignore"):
        compiled = Compiled(lambda x: ours(x, (3,), eps=0.0), operands, factors)
        value, _ = compiled.differentiate()
    expected, _ = torch_differentiate(lambda x: theirs(x, (3,), eps=0.0), operands, factors)
    np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_rms_norm_has_the_eps_of_the_dtype_by_default(dtype: str) -> None:
    operands = [np.full((1, 2, 3), 1e-4, dtype)]
    factors = weights((2, 3), dtype)
    value, _ = Compiled(lambda x: rms_norm(x, (3,)), operands, factors).differentiate()
    expected, _ = torch_differentiate(lambda x: functional.rms_norm(x, (3,)), operands, factors)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_a_batch_of_one_value_per_channel_is_refused() -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 3))
    normalized = batch_norm(x)
    graph.compile(normalized, samples=2)
    with pytest.raises(ValueError, match=r"^batch_norm: .* more than one value per channel"):
        graph.compile(normalized, samples=1)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        functional.batch_norm(torch.zeros(1, 3), None, None, training=True)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            lambda x: layer_norm(x, (2,)),
            r"layer_norm: normalized_shape \(2,\) has to be the last sizes, got \(samples, 3\)",
        ),
        (lambda x: rms_norm(x, ()), r"rms_norm: normalized_shape \(\) has to be the last sizes"),
        (lambda x: batch_norm(x.sum(1)), "batch_norm: needs samples and channels, got "),
        (
            lambda x: batch_norm(x, weight=np.ones(2)),
            r"batch_norm: weight and bias need a number for each channel, got \(samples, 3\) and ",
        ),
        (
            lambda x: group_norm(x, 2),
            "group_norm: the channels must be a multiple of num_groups, got 3 and 2",
        ),
        (
            lambda x: batch_norm(
                x, x.graph.state("mean", (3,)), x.graph.state("var", (3,)), momentum=None
            ),
            "batch_norm: without a momentum it needs num_batches_tracked",
        ),
    ],
)
def test_what_does_not_fit_is_refused(write: Any, message: str) -> None:
    x = Graph().input("x", (SAMPLES, 3))
    with pytest.raises(ValueError, match=f"^{message}"):
        write(x)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("momentum", [0.1, 0.4, None])
@pytest.mark.parametrize("sizes", [(), (2,), (2, 3)])
def test_running_statistics_are_those_of_torch(
    sizes: Shape, momentum: float | None, dtype: str
) -> None:
    kind = [nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d][len(sizes)]
    module = kind(3, momentum=momentum, dtype=getattr(torch, dtype))
    graph = Graph(runs=2, dtype=dtype)
    x = graph.input("x", (7, 3, *sizes))
    weight, bias = graph.parameter("weight", (3,)), graph.parameter("bias", (3,))
    mean, var = graph.state("running_mean", (3,)), graph.state("running_var", (3,), 1.0)
    count = graph.state("num_batches_tracked", ())
    y = batch_norm(x, mean, var, weight, bias, momentum, num_batches_tracked=count)
    factors = weights((7, 3, *sizes), dtype)
    programs = {
        training: graph.compile((y * factors).sum(), y, differentiate=True, training=training)
        for training in (True, False)
    }
    random = np.random.default_rng(1)
    graph.parameters[:] = random.uniform(0.5, 2, (1, 6))
    module.load_state_dict(
        {"weight": torch.from_numpy(graph.parameters[0, :3].copy())}
        | {"bias": torch.from_numpy(graph.parameters[0, 3:].copy())},
        strict=False,
    )
    for training in (True, True, False, True, False):
        batch = random.normal(2, 3, (2, 7, 3, *sizes)).astype(dtype)
        programs[training].feed(x=batch)
        programs[training].gradients()
        module.train(training).zero_grad()
        theirs = module(torch.from_numpy(batch[0]))
        (theirs * torch.from_numpy(factors)).sum().backward()
        tolerance = TOLERANCE[dtype]
        assert_close(programs[training].outputs[1][0], theirs.detach().numpy(), tolerance)
        gradients = torch.cat([p.grad for p in module.parameters()]).numpy()
        assert_close(graph.gradients[0], gradients, tolerance)
        for name, buffer in module.named_buffers():
            np.testing.assert_allclose(graph.states[name][0], buffer.numpy(), rtol=tolerance)
        assert (graph.states["running_mean"][0] != graph.states["running_mean"][1]).all()
    assert set(graph.states) == set(dict(module.named_buffers()))


def test_running_statistics_take_no_second_look_at_the_batch() -> None:
    calls = []
    for running in (False, True):
        graph = Graph()
        x, w = graph.input("x", (SAMPLES, 3, 4)), graph.parameter("w", (3, 1))
        states = [graph.state(name, (3,)) for name in ("mean", "var")] if running else []
        y = batch_norm(x * w, *states)
        program = graph.compile(y.sum(), samples=5, training=True)
        calls.append([call for call in program._forward if _largest(call) == 5 * 3 * 4])
    assert len(calls[0]) == len(calls[1])


def _largest(call: Any) -> int:
    arrays = [*call.args, *call.keywords.values()]
    return max(array.size for array in arrays if isinstance(array, np.ndarray))
