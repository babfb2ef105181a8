"""Rows of a table that numbers name."""

import numpy as np

from stages.graph import kernels
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, Operation, Shape
from stages.graph.operations.shapes import take, take_gradient, take_value
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
    """The row of `weight`, (rows, width), that each token names, (..., width), as in torch.

    tokens: (...), integers, or whole numbers of the graph's dtype: they may be features

    The gradient adds up what came to a row in the order of the tokens, as torch does. A token that
    is not from 0 to rows - 1 is refused with an IndexError when it is fed.
    """
    if isinstance(tokens, Node) and tokens.dtype.kind == "f":
        return apply("embedding", tokens, weight)
    return take(weight, tokens, 0)
