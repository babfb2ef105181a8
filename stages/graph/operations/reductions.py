"""What becomes of the numbers along axes: sums and the like, and what is normalised by a sum."""

import math
from typing import Any

import numpy as np

from stages.graph import kernels
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


def _reduce(function: np.ufunc, a: Value, axis: Axis, keepdims: bool) -> Value:
    axes = _behind_runs(axis, a)
    result = a.reduce(function, axes)
    return result if keepdims else result.drop(axes)


def _sum(a: Value, axis: Axis, keepdims: bool) -> Value:
    return _reduce(np.add, a, axis, keepdims)


def _count(axis: Axis, a: Value) -> int:
    return math.prod(a.shape[position] for position in _behind_runs(axis, a))


def _repeat(g: Value, a: Value, axis: Axis, keepdims: bool) -> Value:
    """The gradient of a sum: the same for every element that was summed."""
    return _kept(g, a, axis, keepdims).broadcast(a.shape)


def _kept(y: Value, a: Value, axis: Axis, keepdims: bool) -> Value:
    """The result with the axes that were reduced, of size 1, as it broadcasts against `a`."""
    return y if keepdims else y.insert(_behind_runs(axis, a))


def _extreme(function: np.ufunc) -> Operation:
    def value(a: Value, axis: Axis, keepdims: bool) -> Value:
        return _reduce(function, a, axis, keepdims)

    def derivative(g: Value, y: Value, a: Value, **axes: Any) -> Value:
        reached = a.equals(_kept(y, a, **axes))
        shares = reached.reduce(np.add, _behind_runs(axes["axis"], a))
        return _kept(g, a, **axes) * reached / shares

    return Operation(_reduced, value, derivative)


def _product_of_others(y: Value, a: Value, **axes: Any) -> Value:
    """The derivative of a product: of all but one, which is not only y / a where a = 0."""
    zero = a.equals(0)
    others = zero.where(1, a)
    positions = _behind_runs(axes["axis"], a)
    alone = zero.reduce(np.add, positions).equals(1)
    return zero.where(others.reduce(np.multiply, positions) * alone, _kept(y, a, **axes) / others)


def _deviations(a: Value, axis: Axis) -> Value:
    return a - _sum(a, axis, keepdims=True) * (1 / _count(axis, a))


def _freedom(a: Value, axis: Axis, correction: float) -> float:
    """What a sum of squares is divided by for a variance, never less than 0, as in torch."""
    return max(_count(axis, a) - correction, 0.0)


def _variance(a: Value, axis: Axis, keepdims: bool, correction: float) -> Value:
    deviations = _deviations(a, axis)
    return _sum(deviations * deviations, axis, keepdims) / _freedom(a, axis, correction)


def _cumulated(a: Value, axis: int, reverse: bool = False) -> Value:
    behind = _behind_runs(axis, a)[0]
    options = {"axis": behind, "reverse": reverse}
    return a.writer.call(kernels.cumulated, [a], a.shape, None, None, **options)


def softmax_logarithm(a: Value, axis: int = -1) -> Value:
    """The logarithm of the softmax over an axis, without overflow."""
    behind = _behind_runs(axis, a)
    shifted = a - a.reduce(np.maximum, behind)
    return shifted - shifted.apply(np.exp).reduce(np.add, behind).apply(np.log)


def _softmax(a: Value, axis: int) -> Value:
    behind = _behind_runs(axis, a)
    powers = (a - a.reduce(np.maximum, behind)).apply(np.exp)
    return powers / powers.reduce(np.add, behind)


def _logarithm_of_sum(a: Value, axis: Axis, keepdims: bool) -> Value:
    behind = _behind_runs(axis, a)
    bounds = np.finfo(a.dtype)  # where all are -∞, or one ∞, it is that, and not their difference
    largest = a.reduce(np.maximum, behind)
    largest = largest.apply(np.maximum, bounds.min).apply(np.minimum, bounds.max)
    result = (a - largest).apply(np.exp).reduce(np.add, behind).apply(np.log) + largest
    return result if keepdims else result.drop(behind)


def _same(shape: Shape, axis: int) -> Shape:
    axes_of(axis, len(shape))
    return shape


OPERATIONS |= {
    "sum": Operation(_reduced, _sum, lambda g, y, a, **axes: _repeat(g, a, **axes)),
    "mean": Operation(
        _reduced,
        lambda a, axis, keepdims: _sum(a, axis, keepdims) * (1 / _count(axis, a)),
        lambda g, y, a, **axes: _repeat(g * (1 / _count(axes["axis"], a)), a, **axes),
    ),
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
    "prod": Operation(
        _reduced,
        lambda a, **axes: _reduce(np.multiply, a, **axes),
        lambda g, y, a, **axes: _kept(g, a, **axes) * _product_of_others(y, a, **axes),
    ),
    "var": Operation(
        lambda shape, axis, keepdims, correction: _reduced(shape, axis, keepdims),
        _variance,
        lambda g, y, a, axis, keepdims, correction: (
            _kept(g, a, axis, keepdims) * _deviations(a, axis) * 2 / _freedom(a, axis, correction)
        ),
    ),
    "norm": Operation(
        _reduced,
        lambda a, **axes: _sum(a * a, **axes).apply(np.sqrt),
        lambda g, y, a, **axes: _kept(g, a, **axes) * (a / _kept(y + y.equals(0), a, **axes)),
    ),
    "cumsum": Operation(
        _same,
        lambda a, axis: _cumulated(a, axis),
        lambda g, y, a, axis: _cumulated(g.broadcast(a.shape), axis, reverse=True),
    ),
    "logsumexp": Operation(
        _reduced,
        _logarithm_of_sum,
        lambda g, y, a, **axes: _kept(g, a, **axes) * (a - _kept(y, a, **axes)).apply(np.exp),
    ),
    "softmax": Operation(
        _same,
        _softmax,
        lambda g, y, a, axis: (g - (g * y).reduce(np.add, _behind_runs(axis, a))) * y,
    ),
    "log_softmax": Operation(
        _same,
        softmax_logarithm,
        lambda g, y, a, axis: (
            g - y.apply(np.exp) * g.broadcast(a.shape).reduce(np.add, _behind_runs(axis, a))
        ),
    ),
}


def norm(a: Operand, axis: Axis = None, keepdims: bool = False) -> Node:
    """√(sum of a²) over `axis`, all axes by default; where it is 0, so is its gradient."""
    return apply("norm", a, axis=axis, keepdims=keepdims)


def logsumexp(a: Operand, axis: Axis = None, keepdims: bool = False) -> Node:
    """log(sum(exp(a))) over `axis`, all axes by default, without overflow."""
    return apply("logsumexp", a, axis=axis, keepdims=keepdims)


def softmax(a: Operand, axis: int = -1) -> Node:
    """exp(a) / sum(exp(a)) over an axis, without overflow."""
    return apply("softmax", a, axis=axis)


def log_softmax(a: Operand, axis: int = -1) -> Node:
    """log(exp(a) / sum(exp(a))) over an axis, without overflow."""
    return apply("log_softmax", a, axis=axis)
