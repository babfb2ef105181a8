"""The product of matrices, the last two axes, and their transpose."""

import math

from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.arithmetic import broadcast
from stages.graph.value import Value


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


def _gradient_of_right(g: Value, a: Value, b: Value) -> Value:
    if len(a.shape) > 3 and len(a.shape) >= len(b.shape) and math.prod(b.shape[1:-2]) == 1:
        # many matrices times one: all their rows in one product, where sums are part of it
        count = math.prod(a.shape[1:-1])
        product = a.reshape(count, a.shape[-1]).T @ g.reshape(count, g.shape[-1])
        return product.reshape(*b.shape[1:])
    return a.T @ g


OPERATIONS |= {
    "matmul": Operation(
        _matmul_shape,
        lambda a, b: a @ b,
        lambda g, y, a, b: g @ b.T,
        lambda g, y, a, b: _gradient_of_right(g, a, b),
    ),
    "transpose": Operation(_transposed, lambda a: a.T, lambda g, y, a: g.T),
}
