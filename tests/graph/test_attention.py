"""Attention against torch's own."""

from typing import Any

import numpy as np
import pytest
import torch
from differentiation import Compiled, assert_close, random_values, torch_differentiate, weights
from torch import nn

from stages.graph import SAMPLES, Graph, scaled_dot_product_attention, self_attention

TOLERANCE = {"float64": 1e-13, "float32": 1e-5}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize(
    ("lead", "targets", "sources", "width"),
    [((), 3, 3, 4), ((2, 3), 4, 4, 2), ((2,), 3, 5, 2), ((2,), 1, 1, 1)],
)
def test_value_and_gradients_are_those_of_torch(
    lead: tuple[int, ...],
    targets: int,
    sources: int,
    width: int,
    scale: float | None,
    causal: bool,
    dtype: str,
) -> None:
    shapes = ((*lead, targets, width), (*lead, sources, width), (*lead, sources, 3))
    operands = random_values(shapes, -2, 2, 1, dtype)
    factors = weights((*lead, targets, 3), dtype)
    options: dict[str, Any] = {"is_causal": causal, "scale": scale}
    value, gradients = Compiled(
        lambda *given: scaled_dot_product_attention(*given, **options), operands, factors
    ).differentiate()
    expected, other = torch_differentiate(
        lambda *given: nn.functional.scaled_dot_product_attention(*given, **options),
        operands,
        factors,
    )
    assert_close(value, expected, TOLERANCE[dtype])
    for own, theirs in zip(gradients, other, strict=True):
        assert_close(own, theirs, TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_several_heads_are_those_of_torch(heads: int, causal: bool, dtype: str) -> None:
    samples, times, width = 3, 5, 8
    module = nn.MultiheadAttention(width, heads, batch_first=True, dtype=getattr(torch, dtype))
    graph = Graph(dtype=dtype)
    scale = graph.parameter("scale", ())
    shapes = {name: tuple(values.shape) for name, values in module.named_parameters()}
    own = [graph.parameter(name, shape) for name, shape in shapes.items()]
    x = graph.input("x", (SAMPLES, times, width))
    factors = graph.input("factors", (SAMPLES, times, width))
    y = self_attention(scale * x, heads, *own, is_causal=causal)
    program = graph.compile((y * factors).sum(), y, samples=samples, differentiate=True)
    random = np.random.default_rng(1)
    graph.parameters[:] = random.uniform(-1, 1, graph.parameters.shape)
    given, upstream = random.normal(size=(2, samples, times, width)).astype(dtype)
    program.feed(x=given[None], factors=upstream[None])
    program.gradients()

    values = {name: torch.tensor(v[0]) for name, v in graph.views(graph.parameters).items()}
    scaled = values.pop("scale").requires_grad_()
    module.load_state_dict(values)
    z = scaled * torch.from_numpy(given)
    mask = torch.triu(torch.ones(times, times, dtype=torch.bool), 1) if causal else None
    output, _ = module(z, z, z, attn_mask=mask)
    (output * torch.from_numpy(upstream)).sum().backward()
    assert_close(program.outputs[1][0], output.detach().numpy(), TOLERANCE[dtype])
    for name, gradient in graph.views(graph.gradients).items():
        other = scaled.grad if name == "scale" else module.get_parameter(name).grad
        assert_close(np.asarray(gradient[0]), other.numpy(), TOLERANCE[dtype])


def test_heads_of_another_size_are_refused() -> None:
    graph = Graph()
    w = graph.parameter("w", (9, 3))
    with pytest.raises(ValueError, match=r"^self_attention: the width must be a multiple of .* 2$"):
        self_attention(graph.input("x", (SAMPLES, 4, 3)), 2, w, w, w, w)
