"""What the operators of Python do: arithmetic, with NumPy's broadcasting."""

import numpy as np

from stages.graph.operation import OPERATIONS, Operation, Shape


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
    "negative": Operation(lambda shape: shape, lambda a: -a, lambda g, y, a: -g),
}
