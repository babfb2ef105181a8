"""Convolutions along one axis and along two, as in torch: windows are not flipped."""

import math
from collections.abc import Sequence

from stages.graph import kernels
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.shapes import expand_dims
from stages.graph.value import Value
from stages.graph.windows import (
    Sizes,
    per_axis,
    samples_first,
    samples_last,
    space,
    window_counts,
)


def _spans(kernel: Sizes, dilation: Sizes) -> Sizes:
    """How far the windows reach."""
    return tuple(gap * (size - 1) + 1 for size, gap in zip(kernel, dilation, strict=True))


def _convolved(
    a: Shape, weight: Shape, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Shape:
    dims = len(stride)
    lengths = space(a, dims)
    if len(weight) != 2 + dims or any(isinstance(size, str) for size in weight):
        raise ValueError(f"the weight must have {2 + dims} axes, none of samples")
    out, each, *kernel = map(int, weight)
    channels = int(a[1])
    if groups < 1 or out % groups or channels % groups:
        raise ValueError(f"the channels do not divide into {groups} groups")
    if each * groups != channels:
        raise ValueError("the weight has other channels in than there are")
    return (a[0], out, *window_counts(lengths, _spans(tuple(kernel), dilation), stride, padding))


def _columns(
    a: Value, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Value:
    """What each window sees: (runs, groups, channels · offsets, windows · samples)."""
    images = samples_last(a, padding)
    dims = len(kernel)
    windows = images.windows(range(2, 2 + dims), _spans(kernel, dilation))
    _, channels, *counts, samples = windows.shape[: 3 + dims]
    steps = [(0, count, step) for count, step in zip(counts, stride, strict=True)]
    gaps = [(0, size, gap) for size, gap in zip(windows.shape[-dims:], dilation, strict=True)]
    seen = windows.slice([None, *steps, None, *gaps])
    offsets_first = (0, 1, *range(3 + dims, 3 + 2 * dims), *range(2, 3 + dims))
    columns = seen.permute(offsets_first).contiguous()
    inside = channels // groups * math.prod(kernel)
    return columns.reshape(groups, inside, math.prod(columns.shape[2 + dims : -1]) * samples)


def _rows(weight: Value, groups: int) -> Value:
    """(runs, groups, channels out, channels in · offsets)."""
    _, out, *inside = weight.shape
    return weight.reshape(groups, out // groups, math.prod(inside))


def _convolution(
    a: Value, weight: Value, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Value:
    kernel = weight.shape[3:]
    columns = _columns(a, kernel, stride, padding, dilation, groups)
    # As the transpose of the transposes, for results lie with their last two axes exchanged.
    product = (columns.T @ _rows(weight, groups).T).T
    counts = window_counts(a.shape[3:], _spans(kernel, dilation), stride, padding)
    return samples_first(product.reshape(weight.shape[1], *counts, a.shape[1]))


def _gradient(g: Value, groups: int) -> Value:
    """That of the product of matrices: (runs, groups, channels out, windows · samples)."""
    last = samples_last(g)
    _, out, *windows = last.shape
    return last.reshape(groups, out // groups, math.prod(windows))


def _gradient_of_images(
    g: Value, a: Value, weight: Value, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Value:
    columns = (_gradient(g, groups).T @ _rows(weight, groups)).T
    runs, (samples, channels, *lengths) = columns.shape[0], a.shape[1:]
    seen = columns.reshape(channels, *weight.shape[3:], *g.shape[3:], samples)
    shape = (runs, channels, *lengths, samples)
    options = {"strides": stride, "padding": padding, "dilation": dilation}
    order = tuple(range(len(shape)))
    return samples_first(g.writer.call(kernels.folded, [seen], shape, order, None, **options))


def _gradient_of_weight(
    g: Value, a: Value, weight: Value, stride: Sizes, padding: Sizes, dilation: Sizes, groups: int
) -> Value:
    columns = _columns(a, weight.shape[3:], stride, padding, dilation, groups)
    product = _gradient(g, groups) @ columns.T
    # Not right into the flat row of gradients: BLAS is quicker with the longer axis as the rows.
    return product.contiguous().reshape(*weight.shape[1:])


DIMENSIONS = {"conv1d": 1, "conv2d": 2}

OPERATIONS |= {
    name: Operation(
        _convolved,
        _convolution,
        lambda g, y, a, weight, **options: _gradient_of_images(g, a, weight, **options),
        lambda g, y, a, weight, **options: _gradient_of_weight(g, a, weight, **options),
    )
    for name in DIMENSIONS
}


def _convolve(
    name: str,
    a: Operand,
    weight: Operand,
    bias: Node | None,
    stride: int | Sequence[int],
    padding: int | Sequence[int],
    dilation: int | Sequence[int],
    groups: int,
) -> Node:
    dims = DIMENSIONS[name]
    y = apply(
        name,
        a,
        weight,
        stride=per_axis(f"{name}: stride", stride, dims, 1),
        padding=per_axis(f"{name}: padding", padding, dims, 0),
        dilation=per_axis(f"{name}: dilation", dilation, dims, 1),
        groups=groups,
    )
    if bias is None:
        return y
    if bias.shape != y.shape[1:2]:
        raise ValueError(f"{name}: the bias must be ({y.shape[1]},), got {bias.shape}")
    return y + expand_dims(bias, tuple(range(1, 1 + dims)))


def conv1d(
    a: Operand,
    weight: Operand,
    bias: Node | None = None,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Node:
    """The convolution of (samples, channels, length), as in torch.

    weight: (channels out, channels in / groups, kernel)
    bias: (channels out,)
    """
    return _convolve("conv1d", a, weight, bias, stride, padding, dilation, groups)


def conv2d(
    a: Operand,
    weight: Operand,
    bias: Node | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Node:
    """The convolution of (samples, channels, height, width), as in torch.

    weight: (channels out, channels in / groups, kernel height, kernel width)
    bias: (channels out,)
    stride, padding, dilation: a number for both axes, or one for each
    """
    return _convolve("conv2d", a, weight, bias, stride, padding, dilation, groups)
