"""A node of a computation, and how one is recorded."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from stages.graph.operation import OPERATIONS, Shape
from stages.graph.operators import Arithmetic
from stages.graph.starts import Start
from stages.graph.value import Array


class Record(Protocol):
    """What a node is recorded in: a graph."""

    nodes: list["Node"]
    dtype: np.dtype[Any]

    def constant(self, value: float | Array) -> "Node": ...
    def parameter(self, name: str, shape: tuple[int, ...], start: Start) -> "Node": ...


class Node(Arithmetic):
    """One value of the computation: an input, a parameter, a constant or an operation's result.

    Operators broadcast as NumPy does; numbers and arrays on the other side become constants.
    """

    def __init__(
        self,
        graph: Record,
        operation: str,
        shape: Shape,
        dtype: DTypeLike,
        inputs: tuple["Node", ...] = (),
        name: str = "",
        **attributes: Any,
    ) -> None:
        self.graph = graph
        self.operation = operation
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.inputs = inputs
        self.name = name
        self.attributes = attributes
        self.needs_gradient: bool = operation == "parameter" or any(
            node.needs_gradient for node in inputs
        )
        graph.nodes.append(self)

    def __repr__(self) -> str:
        return f"{self.name or self.operation}{list(self.shape)}"

    def _operate(self, name: str, *operands: "Operand") -> "Node":
        return apply(name, *operands)

    @property
    def T(self) -> "Node":
        """The last two axes exchanged: a view, no work at run time."""
        return apply("transpose", self)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Node":
        """The sum over `axis` (all axes by default); the runs axis is never summed."""
        return apply("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Node":
        """The mean over `axis` (all axes by default); the runs axis is never averaged."""
        return apply("mean", self, axis=axis, keepdims=keepdims)


Operand = Node | float | Array


def apply(name: str, *operands: Operand, **attributes: Any) -> Node:
    """Records the operation `name` on `operands` and returns its result.

    Raises ValueError if the shapes do not fit, TypeError if a dtype is wrong; both name the
    operation and what it was given.
    """
    graph = next((operand.graph for operand in operands if isinstance(operand, Node)), None)
    if graph is None:
        raise TypeError(f"{name}: needs at least one node of a graph, got {operands}")
    operation = OPERATIONS[name]
    nodes = tuple(
        operand if isinstance(operand, Node) else graph.constant(operand) for operand in operands
    )
    for position, node in enumerate(nodes):
        if node.graph is not graph:
            raise ValueError(f"{name}: {node!r} belongs to another graph")
        integer = position in operation.integers
        if (node.dtype.kind == "i") != integer:
            wanted = "an integer dtype" if integer else str(graph.dtype)
            raise TypeError(f"{name}: operand {position + 1} must be {wanted}, got {node.dtype}")
    try:
        shape = operation.shape(*(node.shape for node in nodes), **attributes)
    except ValueError as error:
        shapes = " and ".join(_text(node.shape) for node in nodes)
        raise ValueError(f"{name}: {error}, got {shapes}") from None
    return Node(graph, name, shape, graph.dtype, nodes, **attributes)


def _text(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
