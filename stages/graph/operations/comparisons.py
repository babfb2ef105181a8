"""Comparisons, and what they choose: 1 stands for what is true, 0 for what is not."""

import math
from functools import partial

import numpy as np

from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation
from stages.graph.operations.arithmetic import broadcast
from stages.graph.operations.elementwise import unary
from stages.graph.value import Function, Value


def _compared(function: Function, a: Value, b: Value) -> Value:
    return a.apply(function, b)


def _not_below(a: Value, b: Value) -> Value:
    """0 where a < b, ½ where they are equal, 1 elsewhere, so also where one is not a number."""
    return 1 - ((a < b) + (a <= b)) * 0.5


COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")

OPERATIONS |= {
    name: Operation(broadcast, partial(_compared, getattr(np, name)), None, None)
    for name in COMPARISONS
} | {
    "where": Operation(
        broadcast,
        lambda condition, a, b: condition.where(a, b),
        None,
        lambda g, y, condition, a, b: condition.where(g, 0),
        lambda g, y, condition, a, b: condition.where(0, g),
    ),
    "maximum": Operation(
        broadcast,
        lambda a, b: a.apply(np.maximum, b),
        lambda g, y, a, b: g * _not_below(a, b),
        lambda g, y, a, b: g * _not_below(b, a),
    ),
    "minimum": Operation(
        broadcast,
        lambda a, b: a.apply(np.minimum, b),
        lambda g, y, a, b: g * _not_below(b, a),
        lambda g, y, a, b: g * _not_below(a, b),
    ),
    "clip": Operation(
        unary,
        lambda a, low, high: a.apply(np.maximum, low).apply(np.minimum, high),
        lambda g, y, a, low, high: g * ((a >= low) * (a <= high)),
    ),
}


def equal(a: Operand, b: Operand) -> Node:
    """1 where the two are equal, 0 elsewhere; like all comparisons it has no gradient."""
    return apply("equal", a, b)


def not_equal(a: Operand, b: Operand) -> Node:
    """1 where the two differ, so also where one is NaN, 0 elsewhere."""
    return apply("not_equal", a, b)


def where(condition: Operand, a: Operand, b: Operand) -> Node:
    """`a` where the condition is not 0, `b` elsewhere; all three broadcast.

    What is not chosen has no influence, whatever it is, and gets a gradient of 0.
    """
    return apply("where", condition, a, b)


def maximum(a: Operand, b: Operand) -> Node:
    """The larger of the two, NaN if one is; equal ones get half of the gradient each."""
    return apply("maximum", a, b)


def minimum(a: Operand, b: Operand) -> Node:
    """The smaller of the two, NaN if one is; equal ones get half of the gradient each."""
    return apply("minimum", a, b)


def clip(a: Operand, low: float | None = None, high: float | None = None) -> Node:
    """`a` between the two numbers, and the nearer one outside, with the derivative 1 at both.

    low, high: None where there is no bound; everything is `high` where low is above it
    """
    bounds = -math.inf if low is None else low, math.inf if high is None else high
    return apply("clip", a, low=bounds[0], high=bounds[1])
