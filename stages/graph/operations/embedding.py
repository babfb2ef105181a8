"""Rows of a table that numbers name."""

import numpy as np

from stages.graph import kernels
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.shapes import take_gradient, take_value
from stages.graph.value import Value


def _rows(tokens: Shape, weight: Shape) -> Shape:
    if len(weight) != 2:
        raise ValueError("the table needs rows and columns")
    return (*tokens, weight[1])


def _whole(tokens: Value) -> Value:
    order = tuple(range(len(tokens.shape)))
    return tokens.writer.call(kernels.rounded, [tokens], tokens.shape, order, np.int64)


OPERATIONS |= {
    "embedding": Operation(
        _rows,
        lambda k, w: take_value(w, _whole(k), 0),
        None,
        lambda g, y, k, w: take_gradient(g, w, _whole(k), 0),
    ),
}


def embedding(tokens: Operand, weight: Operand) -> Node:
    """The row of `weight`, (rows, width), that each token names, (..., width).

    tokens: (...), whole numbers from 0 on, of the graph's dtype: they may be features. Integers
        name rows by `take`.

    A token that is not from 0 to rows - 1 is refused with an IndexError when it is fed.
    """
    return apply("embedding", tokens, weight)
