"""Functions of one operand, element by element, and the angle of two."""

import math

import numpy as np

from stages.graph.error_function import erf as error_function
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.arithmetic import broadcast
from stages.graph.value import Value


def unary(shape: Shape, **_: object) -> Shape:
    """The shape of the result where it is that of the only operand, whatever the attributes."""
    return shape


def _sign(a: Value) -> Value:
    return (a > 0) - (a < 0)  # 0 where `a` is not a number, as in torch


def _over_squares(numerator: Value, a: Value, b: Value) -> Value:
    """The numerator over a² + b², and 0 where both are 0."""
    squares = a * a + b * b
    return numerator / (squares + squares.equals(0))


OPERATIONS |= {
    "absolute": Operation(unary, lambda a: a.apply(np.absolute), lambda g, y, a: g * _sign(a)),
    "sign": Operation(unary, _sign, None),
    "floor": Operation(unary, lambda a: a.apply(np.floor), None),
    "exp": Operation(unary, lambda a: a.apply(np.exp), lambda g, y, a: g * y),
    "expm1": Operation(unary, lambda a: a.apply(np.expm1), lambda g, y, a: g * (y + 1)),
    "log": Operation(unary, lambda a: a.apply(np.log), lambda g, y, a: g / a),
    "log1p": Operation(unary, lambda a: a.apply(np.log1p), lambda g, y, a: g / (a + 1)),
    "sqrt": Operation(unary, lambda a: a.apply(np.sqrt), lambda g, y, a: g / (2 * y)),
    "sin": Operation(unary, lambda a: a.apply(np.sin), lambda g, y, a: g * a.apply(np.cos)),
    "cos": Operation(unary, lambda a: a.apply(np.cos), lambda g, y, a: g * -a.apply(np.sin)),
    "erf": Operation(
        unary,
        lambda a: a.apply(error_function),
        lambda g, y, a: g * ((-(a * a)).apply(np.exp) * (2 / math.sqrt(math.pi))),
    ),
    "atan2": Operation(
        broadcast,
        lambda a, b: a.apply(np.arctan2, b),
        lambda g, y, a, b: g * _over_squares(b, a, b),
        lambda g, y, a, b: g * _over_squares(-a, a, b),
    ),
}


def sign(a: Operand) -> Node:
    """-1, 0 or 1, element by element; 0 of NaN. Its derivative is 0."""
    return apply("sign", a)


def floor(a: Operand) -> Node:
    """The largest whole number that is not above, element by element. Its derivative is 0."""
    return apply("floor", a)


def exp(a: Operand) -> Node:
    """The exponential function of `a`, element by element."""
    return apply("exp", a)


def expm1(a: Operand) -> Node:
    """exp(a) - 1, element by element, exact near 0."""
    return apply("expm1", a)


def log(a: Operand) -> Node:
    """The natural logarithm, element by element."""
    return apply("log", a)


def log1p(a: Operand) -> Node:
    """log(1 + a), element by element, exact near 0."""
    return apply("log1p", a)


def sqrt(a: Operand) -> Node:
    """The square root, element by element."""
    return apply("sqrt", a)


def sin(a: Operand) -> Node:
    """The sine of an angle in radians, element by element."""
    return apply("sin", a)


def cos(a: Operand) -> Node:
    """The cosine of an angle in radians, element by element."""
    return apply("cos", a)


def atan2(a: Operand, b: Operand) -> Node:
    """The angle in radians, -π to π, of the point at `b` to the right and `a` up.

    Element by element; at (0, 0) the derivatives are 0.
    """
    return apply("atan2", a, b)


def erf(a: Operand) -> Node:
    """2/√π · ∫ exp(-t²) dt from 0 to a, element by element."""
    return apply("erf", a)
