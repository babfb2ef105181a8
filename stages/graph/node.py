"""A node of a computation, and how one is recorded."""

from collections.abc import Sequence
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

    def constant(self, value: float | Array, dtype: DTypeLike | None = None) -> "Node": ...
    def mask(self, name: str, shape: Shape, p: float) -> "Node": ...
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
        /,
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

    def __getitem__(self, key: Any) -> "Node":
        """A part, by numbers, slices, None and ...; or what one array of integers names.

        The samples can only be taken whole. Raises IndexError for what lies outside.
        """
        keys = list(key) if isinstance(key, tuple) else [key]
        if sum(one is ... for one in keys) > 1:
            raise IndexError("an index can only have one ...")
        whole = len(self.shape) - sum(one is not None and one is not ... for one in keys)
        if whole < 0:
            raise IndexError(f"{len(keys)} indices for {self!r}")
        place = next((i for i, one in enumerate(keys) if one is ...), len(keys))
        keys[place : place + 1] = [slice(None)] * whole
        arrays = [one for one in keys if not isinstance(one, int | slice | None)]
        if not arrays:
            return _basic(self, keys)
        if len(arrays) > 1 or any(isinstance(one, int) for one in keys):
            raise IndexError("take by one array of integers at a time, and by nothing but slices")
        position = next(i for i, one in enumerate(keys) if one is arrays[0])
        rest = [slice(None) if one is arrays[0] else one for one in keys]
        return apply("take", _basic(self, rest), arrays[0], axis=position)

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

    def max(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Node":
        """The largest over `axis` (all axes by default); equal ones share the gradient evenly."""
        return apply("max", self, axis=axis, keepdims=keepdims)

    def min(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Node":
        """The smallest over `axis` (all axes by default); equal ones share the gradient evenly."""
        return apply("min", self, axis=axis, keepdims=keepdims)

    def prod(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Node":
        """The product over `axis` (all axes by default)."""
        return apply("prod", self, axis=axis, keepdims=keepdims)

    def var(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
        correction: float = 1,
    ) -> "Node":
        """The variance over `axis` (all axes by default).

        correction: what is subtracted from the count before the sum of squares is divided by it
        """
        return apply("var", self, axis=axis, keepdims=keepdims, correction=correction)

    def cumsum(self, axis: int) -> "Node":
        """The sums of all elements up to each one along `axis`."""
        return apply("cumsum", self, axis=axis)


Constant = float | Array
Operand = Node | Constant


def _basic(node: Node, keys: Sequence[Any]) -> Node:
    """A part by numbers, slices and None, one for each axis and each that is put in."""
    taken = [key for key in keys if key is not None]
    if any(key != slice(None) for key in taken):
        node = apply("slice", node, ranges=tuple(map(_range, taken, node.shape)))
    dropped = tuple(i for i, key in enumerate(taken) if isinstance(key, int))
    if dropped:
        node = apply("squeeze", node, axis=dropped)
    left = [key for key in keys if not isinstance(key, int)]
    new = tuple(i for i, key in enumerate(left) if key is None)
    return apply("expand_dims", node, axis=new) if new else node


def _range(key: int | slice, size: int | str) -> tuple[int, int, int] | None:
    """(start, stop, step) of the indices that NumPy's key means, None for all of them."""
    if key == slice(None):
        return None
    if isinstance(size, str):
        raise ValueError(f"[{key}]: the samples can only be taken whole, by :")
    if isinstance(key, int):
        if not -size <= key < size:
            raise IndexError(f"index {key} is out of range for an axis of size {size}")
        return key % size, key % size + 1, 1
    start, stop, step = key.indices(size)
    if step < 1:
        raise ValueError(f"the step of a slice must be at least 1, got {step}")
    return (start, max(start, stop), step)


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
        operand if isinstance(operand, Node) else _constant(graph, name, position, operand)
        for position, operand in enumerate(operands)
    )
    for position, node in enumerate(nodes):
        if node.graph is not graph:
            raise ValueError(f"{name}: {node!r} belongs to another graph")
        integer = position in operation.integers
        if (node.dtype.kind == "i") != integer and not operation.any_dtype:
            wanted = "an integer dtype" if integer else str(graph.dtype)
            raise TypeError(f"{name}: operand {position + 1} must be {wanted}, got {node.dtype}")
    try:
        shape = operation.shape(*(node.shape for node in nodes), **attributes)
    except (ValueError, IndexError) as error:
        shapes = " and ".join(_text(node.shape) for node in nodes)
        raise type(error)(f"{name}: {error}, got {shapes}") from None
    dtype = nodes[0].dtype if operation.any_dtype else graph.dtype
    return Node(graph, name, shape, dtype, nodes, **attributes)


def read(node: Node, training: bool) -> tuple[Node, ...]:
    """The nodes that a program reads to compute this one."""
    if node.operation != "choose":
        return node.inputs
    return node.inputs[:1] if training else node.inputs[1:]


def _constant(graph: Record, name: str, position: int, value: Constant) -> Node:
    """A constant of the dtype that the operation takes there."""
    integer = position in OPERATIONS[name].integers
    kind = np.asarray(value).dtype.kind
    if kind not in ("i" if integer else "biuf"):
        wanted = "an integer dtype" if integer else "a node, a number or an array of numbers"
        raise TypeError(f"{name}: operand {position + 1} must be {wanted}, got {value!r}")
    return graph.constant(value, np.int64 if integer else None)


def _text(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
