"""What brings values to mean 0 and variance 1, over the features of a sample or over a batch."""

import math
from collections.abc import Sequence

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.elementwise import sqrt
from stages.graph.operations.modes import choose
from stages.graph.operations.shapes import broadcast_to, expand_dims, reshape
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


def group_norm(
    x: Node,
    num_groups: int,
    weight: Node | None = None,
    bias: Node | None = None,
    eps: float = 1e-5,
) -> Node:
    """(x - mean) / √(variance + eps) · weight + bias, over groups of channels of each sample.

    x: (samples, channels, ...)
    weight, bias: (channels,)
    Raises ValueError if the groups are not of the same size.
    """
    samples, channels, *sizes = x.shape
    if num_groups < 1 or int(channels) % num_groups:
        raise ValueError(
            f"group_norm: the channels must be a multiple of num_groups, got {channels} "
            f"and {num_groups}"
        )
    size = math.prod(map(int, (channels, *sizes))) // num_groups
    groups = layer_norm(reshape(x, (samples, num_groups, size)), (size,), eps=eps)
    return _affine(
        reshape(groups, x.shape),
        None if weight is None else _for_channels(weight, x),
        None if bias is None else _for_channels(bias, x),
    )


def batch_norm(
    x: Node,
    running_mean: Node | None = None,
    running_var: Node | None = None,
    weight: Operand = 1.0,
    bias: Operand = 0.0,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
    num_batches_tracked: Node | None = None,
) -> Node:
    """(x - mean) / √(variance + eps) · weight + bias, of each channel.

    Mean and variance are those of the batch in training, where they move the running ones, and the
    running ones in evaluation; if there are none, those of the batch always.

    x: (samples, channels, ...)
    running_mean, running_var: states, (channels,), that start as 0 and 1
    weight, bias: (channels,)
    momentum: the share that the batch has in the running ones; None for that of all batches so far,
        which num_batches_tracked counts
    num_batches_tracked: a state, (), that starts as 0
    """
    normalized = apply("batch_norm", x, weight, bias, eps=eps)
    if running_mean is None or running_var is None:
        return normalized
    axes = (0, *range(2, len(x.shape)))
    mean, centered = x.mean(axes), x - x.mean(axes, keepdims=True)
    count = broadcast_to(x.graph.constant(1.0), x.shape).sum(axes)
    variance = (centered * centered).sum(axes) / (count - 1)
    updates: dict[Node, Node] = {}
    share: Operand | None = momentum
    if num_batches_tracked is not None:
        updates[num_batches_tracked] = num_batches_tracked + 1
        share = 1 / updates[num_batches_tracked] if momentum is None else momentum
    if share is None:
        raise ValueError("batch_norm: without a momentum it needs num_batches_tracked")
    updates[running_mean] = (1 - share) * running_mean + share * mean
    updates[running_var] = (1 - share) * running_var + share * variance
    evaluated = normalized_by(x, running_mean, running_var, weight, bias, eps)
    return choose(normalized, evaluated, updates)


def normalized_by(
    x: Node, mean: Node, var: Node, weight: Operand, bias: Operand, eps: float
) -> Node:
    """(x - mean) / √(var + eps) · weight + bias, of each channel, with both given."""
    scale = weight / sqrt(var + eps)
    return x * _for_channels(scale, x) + _for_channels(bias - mean * scale, x)


def _for_channels(a: Operand, x: Node) -> Node:
    """A number for each channel, (channels,), to broadcast against x."""
    return expand_dims(a, tuple(range(1, len(x.shape) - 1)))


def _affine(y: Node, weight: Operand | None, bias: Operand | None) -> Node:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
