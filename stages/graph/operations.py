"""What the graph can compute: each operation's shape, value and derivatives side by side.

A derivative reads (g, y, *operands): g is the gradient of the loss with respect to the result y.
It may be as large as the result; where an operand was broadcast the graph sums it back.
Where a derivative does not exist the choice is torch's: relu'(0) = 0, equal operands of a maximum
get half of the gradient each.
"""

import math

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Value

Axis = int | tuple[int, ...] | None


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcasting, with "samples" as a size that equals only itself."""
    ndim = max(map(len, shapes))
    result: list[int | str] = []
    for sizes in zip(*((1,) * (ndim - len(shape)) + shape for shape in shapes), strict=True):
        larger = {size for size in sizes if size != 1}
        if len(larger) > 1:
            raise ValueError("the shapes do not broadcast")
        result.append(larger.pop() if larger else 1)
    return tuple(result)


def _matmul_shape(left: Shape, right: Shape) -> Shape:
    if len(left) < 2 or len(right) < 2:
        raise ValueError("both operands need two axes or more")
    if left[-1] != right[-2]:
        raise ValueError("the last axis of the first and the last but one of the second differ")
    return (*broadcast(left[:-2], right[:-2]), left[-2], right[-1])


def _transposed(shape: Shape) -> Shape:
    if len(shape) < 2:
        raise ValueError("needs two axes or more")
    return (*shape[:-2], shape[-1], shape[-2])


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes as positions from 0, all of them for None."""
    given = range(ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for one in given:
        if not -ndim <= one < ndim:
            raise ValueError(f"there is no axis {one}")
    if len({one % ndim for one in given}) < len(given):
        raise ValueError(f"axis {axis} names an axis twice")
    return tuple(one % ndim for one in given)


def _reduced(shape: Shape, axis: Axis, keepdims: bool) -> Shape:
    axes = _axes(axis, len(shape))
    if keepdims:
        return tuple(1 if position in axes else size for position, size in enumerate(shape))
    return tuple(size for position, size in enumerate(shape) if position not in axes)


def _behind_runs(axis: Axis, value: Value) -> list[int]:
    return [1 + position for position in _axes(axis, len(value.shape) - 1)]


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


def _unary(shape: Shape) -> Shape:
    return shape


OPERATIONS |= {
    "add": Operation(broadcast, lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g),
    "subtract": Operation(
        broadcast, lambda a, b: a - b, lambda g, y, a, b: g, lambda g, y, a, b: -g
    ),
    "multiply": Operation(
        broadcast, lambda a, b: a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a
    ),
    "divide": Operation(
        broadcast, lambda a, b: a / b, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * (y / b)
    ),
    "power": Operation(
        broadcast,
        lambda a, b: a**b,
        # b = 0 and a = 0 would give 0 · ∞ and 0 · log 0; the limits there are 0
        lambda g, y, a, b: g * (b * a ** (b - 1 + b.equals(0))),
        lambda g, y, a, b: g * (y * (a + a.equals(0)).apply(np.log)),
    ),
    "maximum": Operation(
        broadcast,
        lambda a, b: a.apply(np.maximum, b),
        lambda g, y, a, b: g * ((a > b) + a.equals(b) * 0.5),
        lambda g, y, a, b: g * ((b > a) + a.equals(b) * 0.5),
    ),
    "negative": Operation(_unary, lambda a: -a, lambda g, y, a: -g),
    "exp": Operation(_unary, lambda a: a.apply(np.exp), lambda g, y, a: g * y),
    "log": Operation(_unary, lambda a: a.apply(np.log), lambda g, y, a: g / a),
    "sqrt": Operation(_unary, lambda a: a.apply(np.sqrt), lambda g, y, a: g / (2 * y)),
    "tanh": Operation(_unary, lambda a: a.apply(np.tanh), lambda g, y, a: g * (1 - y * y)),
    "sigmoid": Operation(
        _unary, lambda a: 1 / (1 + (-a).apply(np.exp)), lambda g, y, a: g * ((1 - y) * y)
    ),
    "relu": Operation(_unary, lambda a: a.apply(np.maximum, 0), lambda g, y, a: g * (y > 0)),
    "log_softmax": Operation(
        _last_axis,
        softmax_logarithm,
        lambda g, y, a: g - y.apply(np.exp) * g.reduce(np.add, [len(g.shape) - 1]),
    ),
    "matmul": Operation(
        _matmul_shape, lambda a, b: a @ b, lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g
    ),
    "transpose": Operation(_transposed, lambda a: a.T, lambda g, y, a: g.T),
    "sum": Operation(_reduced, _sum, lambda g, y, a, **axes: _repeat(g, a, **axes)),
    "mean": Operation(
        _reduced,
        lambda a, axis, keepdims: _sum(a, axis, keepdims) * (1 / _count(axis, a)),
        lambda g, y, a, **axes: _repeat(g * (1 / _count(axes["axis"], a)), a, **axes),
    ),
}


def exp(a: Operand) -> Node:
    """The exponential function of `a`, element by element."""
    return apply("exp", a)


def log(a: Operand) -> Node:
    """The natural logarithm, element by element."""
    return apply("log", a)


def sqrt(a: Operand) -> Node:
    """The square root, element by element."""
    return apply("sqrt", a)


def relu(a: Operand) -> Node:
    """max(a, 0), element by element, with the derivative 0 at 0."""
    return apply("relu", a)


def tanh(a: Operand) -> Node:
    """The hyperbolic tangent, element by element."""
    return apply("tanh", a)


def sigmoid(a: Operand) -> Node:
    """1 / (1 + exp(-a)), element by element."""
    return apply("sigmoid", a)


def maximum(a: Operand, b: Operand) -> Node:
    """The larger of the two; equal ones get half of the gradient each, as in torch."""
    return apply("maximum", a, b)


def log_softmax(a: Operand) -> Node:
    """log(exp(a) / sum(exp(a))) over the last axis."""
    return apply("log_softmax", a)
