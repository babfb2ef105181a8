"""The product of matrices, the last two axes, and their transpose."""

from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.arithmetic import broadcast


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


OPERATIONS |= {
    "matmul": Operation(
        _matmul_shape, lambda a, b: a @ b, lambda g, y, a, b: g @ b.T, lambda g, y, a, b: a.T @ g
    ),
    "transpose": Operation(_transposed, lambda a: a.T, lambda g, y, a: g.T),
}
