"""Pooling along one axis and along two, as in torch."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from stages.graph import kernels
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Value
from stages.graph.windows import (
    Sizes,
    dense,
    per_axis,
    samples_first,
    samples_last,
    space,
    window_counts,
)


def _pooled(a: Shape, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> Shape:
    lengths = space(a, len(stride))
    if any(2 * more > size for more, size in zip(padding, kernel_size, strict=True)):
        raise ValueError(f"padding {padding} must be half of the windows {kernel_size} at most")
    return (*a[:2], *window_counts(lengths, kernel_size, stride, padding))


def _reduced(
    a: Value, function: np.ufunc, kernel_size: Sizes, stride: Sizes, padding: Sizes, fill: float
) -> Value:
    """`function` over the windows, samples last."""
    counts = window_counts(a.shape[3:], kernel_size, stride, padding)
    images = samples_last(a, padding, fill)
    return a.writer.call(
        kernels.windows_reduced,
        [images],
        (*images.shape[:2], *counts, images.shape[-1]),
        dense(images),
        None,
        function=function,
        sizes=kernel_size,
        strides=stride,
    )


def _max(a: Value, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> Value:
    return samples_first(_reduced(a, np.maximum, kernel_size, stride, padding, -math.inf))


def _equal(images: Value, largest: Value, kernel_size: Sizes, stride: Sizes) -> list[Value]:
    """For each offset inside a window whether what lies there is as large as the largest."""
    counts = largest.shape[2:-1]
    found = []
    for offsets in product(*map(range, kernel_size)):
        triples = zip(offsets, counts, stride, strict=True)
        seen = [(first, first + count * step, step) for first, count, step in triples]
        found.append(_decide(np.equal, images.slice([None, *seen, None]), largest))
    return found


def _first(hits: list[Value]) -> list[Value]:
    """The hits without those of windows that were hit before."""
    before, first = hits[0], hits[:1]
    for hit in hits[1:]:
        first.append(_decide(np.greater, hit, before))
        before = _decide(np.logical_or, hit, before)
    return first


def _decide(function: np.ufunc, one: Value, other: Value) -> Value:
    return one.writer.call(function, [one, other], other.shape, dense(other), np.bool)


def _max_back(
    g: Value, y: Value, a: Value, kernel_size: Sizes, stride: Sizes, padding: Sizes
) -> Value:
    """All of the gradient to the first of the largest, in the order of the window."""
    images, largest = samples_last(a, padding, math.nan), samples_last(y)
    hits = _first(_equal(images, largest, kernel_size, stride))
    back = a.writer.call(
        kernels.routed,
        [samples_last(g), largest, images, *hits],
        (max(g.shape[0], images.shape[0]), *images.shape[1:]),
        dense(images),
        None,
        sizes=kernel_size,
        strides=stride,
        padding=padding,
    )
    pairs = zip(padding, a.shape[3:], strict=True)
    inside = [(more, more + length, 1) if more else None for more, length in pairs]
    return samples_first(back.slice([None, *inside, None]))


def _average(a: Value, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> Value:
    total = _reduced(a, np.add, kernel_size, stride, padding, 0.0)
    return samples_first(total / math.prod(kernel_size))


def _average_back(g: Value, a: Value, kernel_size: Sizes, stride: Sizes, padding: Sizes) -> Value:
    share = samples_last(g) / math.prod(kernel_size)
    dims = len(kernel_size)
    seen = share.insert(range(2, 2 + dims)).broadcast(
        (*share.shape[:2], *kernel_size, *share.shape[2:])
    )
    shape = (g.shape[0], a.shape[2], *a.shape[3:], a.shape[1])
    options = {"strides": stride, "padding": padding, "dilation": (1,) * dims}
    order = tuple(range(len(shape)))
    return samples_first(a.writer.call(kernels.folded, [seen], shape, order, None, **options))


def _adapted(a: Shape, output_size: Sizes) -> Shape:
    space(a, len(output_size))
    return (*a[:2], *output_size)


def _cells(lengths: Sizes, output_size: Sizes) -> tuple[tuple[tuple[int, int], ...], ...]:
    """For each axis where the cells that are averaged start and stop."""
    return tuple(
        tuple((cell * length // count, -(-(cell + 1) * length // count)) for cell in range(count))
        for length, count in zip(lengths, output_size, strict=True)
    )


def _adaptive(a: Value, output_size: Sizes) -> Value:
    images = samples_last(a)
    shape = (*images.shape[:2], *output_size, images.shape[-1])
    cells = _cells(images.shape[2:-1], output_size)
    return samples_first(
        a.writer.call(kernels.cells_averaged, [images], shape, dense(images), None, cells=cells)
    )


def _adaptive_back(g: Value, a: Value, output_size: Sizes) -> Value:
    last = samples_last(g)
    shape = (g.shape[0], a.shape[2], *a.shape[3:], a.shape[1])
    cells = _cells(a.shape[3:], output_size)
    return samples_first(
        a.writer.call(kernels.cells_spread, [last], shape, dense(last), None, cells=cells)
    )


DIMENSIONS = {"1d": 1, "2d": 2}

for _dims in DIMENSIONS:
    OPERATIONS |= {
        f"max_pool{_dims}": Operation(
            _pooled,
            _max,
            lambda g, y, a, **options: _max_back(g, y, a, **options),
        ),
        f"avg_pool{_dims}": Operation(
            _pooled,
            _average,
            lambda g, y, a, **options: _average_back(g, a, **options),
        ),
        f"adaptive_avg_pool{_dims}": Operation(
            _adapted,
            _adaptive,
            lambda g, y, a, output_size: _adaptive_back(g, a, output_size),
        ),
    }


def _pool(
    name: str,
    a: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None,
    padding: int | Sequence[int],
) -> Node:
    dims = DIMENSIONS[name[-2:]]
    kernel = per_axis(f"{name}: kernel_size", kernel_size, dims, 1)
    return apply(
        name,
        a,
        kernel_size=kernel,
        stride=per_axis(f"{name}: stride", kernel if stride is None else stride, dims, 1),
        padding=per_axis(f"{name}: padding", padding, dims, 0),
    )


def max_pool1d(a: Operand, kernel_size: int, stride: int | None = None, padding: int = 0) -> Node:
    """The largest of each window of (samples, channels, length), as in torch.

    All of the gradient goes to the first of equal ones. stride: kernel_size by default
    """
    return _pool("max_pool1d", a, kernel_size, stride, padding)


def max_pool2d(
    a: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
) -> Node:
    """The largest of each window of (samples, channels, height, width), as in torch.

    All of the gradient goes to the first of equal ones, row by row. kernel_size, stride, padding: a
    number for both axes, or one for each; the windows lie side by side by default
    """
    return _pool("max_pool2d", a, kernel_size, stride, padding)


def avg_pool1d(a: Operand, kernel_size: int, stride: int | None = None, padding: int = 0) -> Node:
    """The mean of each window of (samples, channels, length), with the zeros of the padding."""
    return _pool("avg_pool1d", a, kernel_size, stride, padding)


def avg_pool2d(
    a: Operand,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
) -> Node:
    """The mean of each window of (samples, channels, height, width), with the padding's zeros.

    kernel_size, stride, padding: as those of `max_pool2d`
    """
    return _pool("avg_pool2d", a, kernel_size, stride, padding)


def adaptive_avg_pool1d(a: Operand, output_size: int) -> Node:
    """Means of (samples, channels, length), over as many windows as are asked for, as in torch."""
    name = "adaptive_avg_pool1d"
    return apply(name, a, output_size=per_axis(f"{name}: output_size", output_size, 1, 1))


def adaptive_avg_pool2d(a: Operand, output_size: int | Sequence[int]) -> Node:
    """Means of (samples, channels, height, width), over output_size windows along each axis."""
    name = "adaptive_avg_pool2d"
    return apply(name, a, output_size=per_axis(f"{name}: output_size", output_size, 2, 1))
