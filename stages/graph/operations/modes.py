"""What a formula computes in one way to train and in another to evaluate."""

from collections.abc import Mapping
from typing import Any

from stages.graph.node import Node, apply
from stages.graph.operation import OPERATIONS, Operation, Shape


def _chosen(training: Shape, evaluation: Shape, updates: Mapping[Any, Any]) -> Shape:
    if training != evaluation:
        raise ValueError("both must have the same shape")
    for state, value in updates.items():
        if state.operation != "state" or state.shape != value.shape:
            raise ValueError(f"{state!r} cannot become {value!r}")
    return training


OPERATIONS |= {
    # of its two operands a program reads one only, see `read` in stages/graph/node.py
    "choose": Operation(_chosen, lambda a, updates: a, lambda g, y, a, updates: g),
}


def choose(training: Node, evaluation: Node, updates: Mapping[Node, Node] | None = None) -> Node:
    """`training` in a program that is compiled for training, `evaluation` in any other.

    updates: new values of states, which they have after each `forward` for training
    """
    return apply("choose", training, evaluation, updates=dict(updates or {}))


def dropout(x: Node, p: float, name: str) -> Node:
    """Elements of x are 0 with probability p, the others x / (1 - p); in evaluation x itself.

    name: of the mask, an input of the shape of x; that of the layer in torch
    """
    return choose(x * x.graph.mask(name, x.shape, p), x)
