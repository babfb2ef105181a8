"""Sums and means over axes, and what is normalised by a sum."""

import math

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Value

Axis = int | tuple[int, ...] | None


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes as positions from 0, all of them for None."""
    given = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for one in given:
        if not -ndim <= one < ndim:
            raise ValueError(f"there is no axis {one}")
    if len({one % ndim for one in given}) < len(given):
        raise ValueError(f"axis {axis} names an axis twice")
    return tuple(one % ndim for one in given)


def _reduced(shape: Shape, axis: Axis, keepdims: bool) -> Shape:
    axes = axes_of(axis, len(shape))
    if keepdims:
        return tuple(1 if position in axes else size for position, size in enumerate(shape))
    return tuple(size for position, size in enumerate(shape) if position not in axes)


def _behind_runs(axis: Axis, value: Value) -> list[int]:
    return [1 + position for position in axes_of(axis, len(value.shape) - 1)]


def _sum(a: Value, axis: Axis, keepdims: bool) -> Value:
    axes = _behind_runs(axis, a)
    total = a.reduce(np.add, axes)
    return total if keepdims else total.drop(axes)


def _count(axis: Axis, a: Value) -> int:
    return math.prod(a.shape[position] for position in _behind_runs(axis, a))


def _repeat(g: Value, a: Value, axis: Axis, keepdims: bool) -> Value:
    """The gradient of a sum: the same for every element that was summed."""
    return (g if keepdims else g.insert(_behind_runs(axis, a))).broadcast(a.shape)


def softmax_logarithm(a: Value) -> Value:
    """The logarithm of the softmax over the last axis, without overflow."""
    last = [len(a.shape) - 1]
    shifted = a - a.reduce(np.maximum, last)
    return shifted - shifted.apply(np.exp).reduce(np.add, last).apply(np.log)


def _last_axis(shape: Shape) -> Shape:
    if not shape:
        raise ValueError("needs an axis or more")
    return shape


OPERATIONS |= {
    "sum": Operation(_reduced, _sum, lambda g, y, a, **axes: _repeat(g, a, **axes)),
    "mean": Operation(
        _reduced,
        lambda a, axis, keepdims: _sum(a, axis, keepdims) * (1 / _count(axis, a)),
        lambda g, y, a, **axes: _repeat(g * (1 / _count(axes["axis"], a)), a, **axes),
    ),
    "log_softmax": Operation(
        _last_axis,
        softmax_logarithm,
        lambda g, y, a: g - y.apply(np.exp) * g.reduce(np.add, [len(g.shape) - 1]),
    ),
}


def log_softmax(a: Operand) -> Node:
    """log(exp(a) / sum(exp(a))) over the last axis."""
    return apply("log_softmax", a)
