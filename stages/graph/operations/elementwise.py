"""Functions of one operand, element by element."""

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.value import Array


def _unary(shape: Shape) -> Shape:
    return shape


@np.errstate(over="ignore")
def _exp(a: Array, out: Array | None = None) -> Array:
    """np.exp, without a warning where infinity is as good as the right result."""
    result: Array = np.exp(a, out)
    return result


OPERATIONS |= {
    "exp": Operation(_unary, lambda a: a.apply(np.exp), lambda g, y, a: g * y),
    "log": Operation(_unary, lambda a: a.apply(np.log), lambda g, y, a: g / a),
    "sqrt": Operation(_unary, lambda a: a.apply(np.sqrt), lambda g, y, a: g / (2 * y)),
    "tanh": Operation(_unary, lambda a: a.apply(np.tanh), lambda g, y, a: g * (1 - y * y)),
    "sigmoid": Operation(
        _unary, lambda a: 1 / (1 + (-a).apply(_exp)), lambda g, y, a: g * ((1 - y) * y)
    ),
    "relu": Operation(
        _unary, lambda a: a.apply(np.maximum, 0), lambda g, y, a: g * y.apply(np.not_equal, 0)
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
    """max(a, 0), element by element, with the derivative 0 at 0 and 1 at NaN."""
    return apply("relu", a)


def tanh(a: Operand) -> Node:
    """The hyperbolic tangent, element by element."""
    return apply("tanh", a)


def sigmoid(a: Operand) -> Node:
    """1 / (1 + exp(-a)), element by element."""
    return apply("sigmoid", a)
