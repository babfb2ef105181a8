"""What the operators of Python do: arithmetic, with NumPy's broadcasting, and the maximum."""

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Value


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


def _not_below(a: Value, b: Value) -> Value:
    """0 where a < b, ½ where they are equal, 1 elsewhere, so also where one is not a number."""
    return 1 - ((a < b) + (a <= b)) * 0.5


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
        # b = 0 and, with b >= 0, a = 0 would give 0 · ∞ and 0 · log 0; the limits there are 0
        lambda g, y, a, b: g * (b * a ** (b - 1 + b.equals(0))),
        lambda g, y, a, b: g * (y * (a + a.equals(0) * (b >= 0)).apply(np.log)),
    ),
    "maximum": Operation(
        broadcast,
        lambda a, b: a.apply(np.maximum, b),
        lambda g, y, a, b: g * _not_below(a, b),
        lambda g, y, a, b: g * _not_below(b, a),
    ),
    "negative": Operation(lambda shape: shape, lambda a: -a, lambda g, y, a: -g),
}


def maximum(a: Operand, b: Operand) -> Node:
    """The larger of the two, NaN if one is; equal ones get half of the gradient each."""
    return apply("maximum", a, b)
