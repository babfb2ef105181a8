"""What brings values to mean 0 and variance 1, over the features of a sample or over a batch."""

import math
from collections.abc import Sequence

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Value


def _mean(a: Value, axes: Sequence[int]) -> Value:
    return a.reduce(np.add, axes) * (1 / math.prod(a.shape[axis] for axis in axes))


def _centered(a: Value, axes: Sequence[int]) -> Value:
    return a - _mean(a, axes)


def _inverse_root(a: Value, axes: Sequence[int], eps: float) -> Value:
    """1 / √(mean of a² + eps)."""
    return 1 / (_mean(a * a, axes) + eps).apply(np.sqrt)


def _last(a: Value, sizes: Shape) -> range:
    return range(len(a.shape) - len(sizes), len(a.shape))


def _layer_norm(x: Value, normalized_shape: Shape, eps: float) -> Value:
    axes = _last(x, normalized_shape)
    centered = _centered(x, axes)
    return centered * _inverse_root(centered, axes, eps)


def _layer_norm_gradient(
    g: Value, y: Value, x: Value, normalized_shape: Shape, eps: float
) -> Value:
    axes = _last(x, normalized_shape)
    inverse = _inverse_root(_centered(x, axes), axes, eps)
    return (_centered(g, axes) - y * _mean(g * y, axes)) * inverse


def _rms_norm(x: Value, normalized_shape: Shape, eps: float) -> Value:
    return x * _inverse_root(x, _last(x, normalized_shape), eps)


def _rms_norm_gradient(g: Value, y: Value, x: Value, normalized_shape: Shape, eps: float) -> Value:
    axes = _last(x, normalized_shape)
    return (g - y * _mean(g * y, axes)) * _inverse_root(x, axes, eps)


def _fits(shape: Shape, normalized_shape: Shape) -> Shape:
    count = len(normalized_shape)
    if not count or shape[-count:] != normalized_shape:
        raise ValueError(f"normalized_shape {normalized_shape} has to be the last sizes")
    return shape


def _batch(x: Value) -> tuple[int, ...]:
    """All axes but those of the runs and of the channels, which come after the samples."""
    return 1, *range(3, len(x.shape))


def _channels(a: Value, x: Value) -> Value:
    """A number for each channel, to broadcast against `x`; one for all of them as it is."""
    return a if a.number is not None else a.insert(range(2, len(x.shape) - 1))


def _batch_norm(x: Value, weight: Value, bias: Value, eps: float) -> Value:
    axes = _batch(x)
    if math.prod(x.shape[axis] for axis in axes) == 1:
        raise ValueError("batch_norm: a batch needs more than one value per channel, got one")
    centered = _centered(x, axes)
    y = centered * (_inverse_root(centered, axes, eps) * _channels(weight, x))
    return y if bias.number == 0 else y + _channels(bias, x)


def _batch_norm_gradient(g: Value, x: Value, weight: Value, eps: float) -> Value:
    axes = _batch(x)
    centered = _centered(x, axes)
    inverse = _inverse_root(centered, axes, eps)
    slope = _mean(g * centered, axes) * (inverse * inverse)
    return (_centered(g, axes) - centered * slope) * (inverse * _channels(weight, x))


def _batch_norm_weight_gradient(g: Value, x: Value, eps: float) -> Value:
    axes = _batch(x)
    centered = _centered(x, axes)
    total = (g * centered).reduce(np.add, axes)
    return (total * _inverse_root(centered, axes, eps)).drop(axes)


def _channels_fit(x: Shape, weight: Shape, bias: Shape) -> Shape:
    if len(x) < 2:
        raise ValueError("needs samples and channels")
    if any(shape not in ((), x[1:2]) for shape in (weight, bias)):
        raise ValueError("weight and bias need a number for each channel")
    return x


OPERATIONS |= {
    "layer_norm": Operation(
        lambda shape, normalized_shape, eps: _fits(shape, normalized_shape),
        _layer_norm,
        _layer_norm_gradient,
    ),
    "rms_norm": Operation(
        lambda shape, normalized_shape, eps: _fits(shape, normalized_shape),
        _rms_norm,
        _rms_norm_gradient,
    ),
    # with weight and bias, whose gradients have their sums in common with that of x
    "batch_norm": Operation(
        lambda x, weight, bias, eps: _channels_fit(x, weight, bias),
        _batch_norm,
        lambda g, y, x, weight, bias, eps: _batch_norm_gradient(g, x, weight, eps),
        lambda g, y, x, weight, bias, eps: _batch_norm_weight_gradient(g, x, eps),
        lambda g, y, x, weight, bias, eps: g.reduce(np.add, _batch(x)).drop(_batch(x)),
    ),
}


def layer_norm(
    x: Node,
    normalized_shape: Shape,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Node:
    """(x - mean) / √(variance + eps) · weight + bias, over the last axes.

    normalized_shape: their sizes, which are also those of weight and bias
    """
    y = apply("layer_norm", x, normalized_shape=tuple(normalized_shape), eps=eps)
    return _affine(y, weight, bias)


def rms_norm(
    x: Node, normalized_shape: Shape, weight: Operand | None = None, eps: float | None = None
) -> Node:
    """The same without a mean: x / √(mean of x² + eps) · weight.

    eps: by default that of the dtype, as in torch
    """
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    y = apply("rms_norm", x, normalized_shape=tuple(normalized_shape), eps=eps)
    return _affine(y, weight, None)


def batch_norm(x: Operand, weight: Operand = 1.0, bias: Operand = 0.0, eps: float = 1e-5) -> Node:
    """(x - mean) / √(variance + eps) · weight + bias, of each channel over the batch.

    x: (samples, channels, ...)
    weight, bias: (channels,)
    """
    return apply("batch_norm", x, weight, bias, eps=eps)


def _affine(y: Node, weight: Operand | None, bias: Operand | None) -> Node:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
