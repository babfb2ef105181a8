"""The normalisations against torch's own, with weight and bias and at the edges."""

from typing import Any

import numpy as np
import pytest
import torch
from differentiation import Compiled, assert_close, random_values, torch_differentiate, weights
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from stages.graph import SAMPLES, Graph, batch_norm, layer_norm, rms_norm

# In rows without any spread torch is off by its rounding, divided by √eps.
TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
Shape = tuple[int, ...]


def last(x: Any) -> Shape:
    return tuple(x.shape[1:])


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
        batch_norm,
        lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
        lambda shape: (shape[1:2], shape[1:2]),
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
    @settings(derandomize=True, deadline=None, max_examples=30)
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
            lambda x: batch_norm(x, np.ones(2)),
            r"batch_norm: weight and bias need a number for each channel, got \(samples, 3\) and ",
        ),
    ],
)
def test_what_does_not_fit_is_refused(write: Any, message: str) -> None:
    x = Graph().input("x", (SAMPLES, 3))
    with pytest.raises(ValueError, match=f"^{message}"):
        write(x)
