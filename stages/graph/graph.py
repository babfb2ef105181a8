"""The record of a computation: nodes, the operations that join them, and their shapes.

Nothing is computed here. A formula such as `relu(x @ weight.T + bias)` records its nodes, and a
mistake in a shape or a dtype is refused on that line; `Graph.compile` turns the record into a
`Program` that runs.

A shape is what torch would show for one run: samples first, then features. The sample axis is the
word "samples" until the graph is compiled for a number of them. The leading `runs` axis, along
which independent trainings lie, is implied and never written.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stages.graph.operators import Arithmetic
from stages.graph.program import Program, Value

SAMPLES = "samples"
Shape = tuple[int | str, ...]
Array = NDArray[Any]


class Operation:
    """What an operation does, rule by rule.

    shape: the shape of the result from the operands' shapes; raises ValueError if they do not fit
    value: the result from the operands' values
    derivatives: for each operand its gradient, from (gradient of the result, result, *operands);
        None for an operand that has none, such as labels
    integers: the positions of operands that are integers, all others have the graph's dtype
    """

    def __init__(
        self,
        shape: Callable[..., Shape],
        value: Callable[..., Value],
        *derivatives: Callable[..., Value] | None,
        integers: tuple[int, ...] = (),
    ) -> None:
        self.shape, self.value, self.derivatives = shape, value, derivatives
        self.integers = integers


OPERATIONS: dict[str, Operation] = {}


class Node(Arithmetic):
    """One value of the computation: an input, a parameter, a constant or an operation's result.

    Operators broadcast as NumPy does; numbers and arrays on the other side become constants.
    """

    def __init__(
        self,
        graph: "Graph",
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


class Graph:
    """A computation over `runs` independent sets of parameters.

    dtype: float64 or float32, of all values but integer labels.
    """

    def __init__(self, runs: int = 1, dtype: DTypeLike = np.float64) -> None:
        if np.dtype(dtype) not in (np.dtype(np.float64), np.dtype(np.float32)):
            raise TypeError(f"a graph computes in float64 or float32, got {np.dtype(dtype)}")
        if runs < 1:
            raise ValueError(f"a graph needs at least one run, got {runs}")
        self.runs = runs
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.nodes: list[Node] = []
        self._flat: tuple[Array, Array] | None = None

    def input(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> Node:
        """A value that is fed at every execution; `dtype` is the graph's, or an integer one."""
        self._check_name(name)
        given = np.dtype(dtype or self.dtype)
        if given != self.dtype and given.kind != "i":
            raise TypeError(f"input {name}: must be {self.dtype} or an integer, got {given}")
        return Node(self, "input", tuple(shape), given, name=name)

    def parameter(self, name: str, shape: tuple[int, ...]) -> Node:
        """A value that is trained: a view on each run's row of `parameters`."""
        self._check_name(name)
        if not all(isinstance(size, int) and size > 0 for size in shape):
            raise ValueError(f"parameter {name}: every size must be at least 1, got {shape}")
        if self._flat is not None:
            raise ValueError(
                f"parameter {name}: `parameters` is laid out already; declare it first"
            )
        return Node(self, "parameter", tuple(shape), self.dtype, name=name)

    def constant(self, value: float | Array) -> Node:
        """A value that never changes, the same for all runs."""
        array = np.asarray(value, dtype=self.dtype)
        return Node(self, "constant", array.shape, self.dtype, value=array)

    def _check_name(self, name: str) -> None:
        if any(node.name == name for node in self.nodes):
            raise ValueError(f"the graph has a node named {name} already")

    @property
    def parameters(self) -> Array:
        """(runs, n): every run's parameters in one row, in the order of their declaration."""
        return self._rows()[0]

    @property
    def gradients(self) -> Array:
        """(runs, n): the gradients, laid out as `parameters`."""
        return self._rows()[1]

    def _rows(self) -> tuple[Array, Array]:
        if self._flat is None:
            shapes = [n.shape for n in self.nodes if n.operation == "parameter"]
            shape = (self.runs, sum(math.prod(map(int, shape)) for shape in shapes))
            self._flat = np.zeros(shape, self.dtype), np.zeros(shape, self.dtype)
        return self._flat

    def views(self, rows: Array) -> dict[str, Array]:
        """Each parameter's part of `rows`, (runs, n), by name: views of shape (runs, *shape)."""
        views, start = {}, 0
        for node in self.nodes:
            if node.operation == "parameter":
                stop = start + math.prod(map(int, node.shape))
                views[node.name] = rows[:, start:stop].reshape(len(rows), *node.shape)
                start = stop
        return views

    def compile(
        self,
        *outputs: Node,
        samples: int = 1,
        differentiate: bool = False,
        shared_inputs: bool = False,
    ) -> Program:
        """The program that computes `outputs` for a number of samples.

        differentiate: also the gradients of the first output, a scalar, with respect to all
            parameters
        shared_inputs: all runs read the same inputs, fed once with a leading axis of 1

        Raises ValueError if there is nothing to compute or the first output is not a scalar.
        """
        if not outputs or any(node.graph is not self for node in outputs):
            raise ValueError("compile: give at least one output, each a node of this graph")
        if differentiate and outputs[0].shape != ():
            raise ValueError(f"compile: only a scalar has gradients, got {outputs[0]!r}")
        parameters, gradients = self.views(self.parameters), self.views(self.gradients)
        program = Program(self.runs, self.dtype)
        values: dict[Node, Value] = {}

        def shape(node: Node) -> tuple[int, ...]:
            return tuple(samples if size == SAMPLES else int(size) for size in node.shape)

        order = _needed(outputs)
        for node in order:
            if node.operation == "input":
                lead = 1 if shared_inputs else self.runs
                values[node] = program.input(node.name, (lead, *shape(node)), node.dtype)
            elif node.operation == "parameter":
                values[node] = program.external(parameters[node.name])
            elif node.operation == "constant":
                values[node] = _constant(program, node.attributes["value"])
            else:
                operands = [values[operand] for operand in node.inputs]
                values[node] = OPERATIONS[node.operation].value(*operands, **node.attributes)
        forward_calls = program.length
        if differentiate:
            _differentiate(outputs[0], order, values, program, gradients)
        program.finish([values[node] for node in outputs], forward_calls)
        return program


def _constant(program: Program, value: Array) -> Value:
    if value.ndim == 0:
        return program.number(float(value), (1,))
    return program.external(value[None], fixed=True)


def _needed(outputs: tuple[Node, ...]) -> list[Node]:
    """The nodes that the outputs depend on, each after its operands."""
    needed, pending = set(), list(outputs)
    while pending:
        node = pending.pop()
        if node not in needed:
            needed.add(node)
            pending.extend(node.inputs)
    graph = outputs[0].graph
    return [node for node in graph.nodes if node in needed]  # recorded in an order that runs


def _differentiate(
    loss: Node,
    order: list[Node],
    values: dict[Node, Value],
    program: Program,
    destinations: dict[str, Array],
) -> None:
    """Reverse-mode differentiation: the chain rule from the loss back to the parameters."""
    gradients = {loss: program.number(1.0, (1,))}
    for node in reversed(order):
        if node not in gradients or not node.needs_gradient:
            continue
        gradient = gradients.pop(node)  # complete, since all that read the node came before
        if node.operation == "parameter":
            program.store(gradient, destinations.pop(node.name))
            continue
        operands = [values[operand] for operand in node.inputs]
        derivatives = OPERATIONS[node.operation].derivatives
        for operand, value, derivative in zip(node.inputs, operands, derivatives, strict=True):
            if operand.needs_gradient and derivative is not None:
                part = derivative(gradient, values[node], *operands, **node.attributes)
                part = part.sum_to(value.shape)
                gradients[operand] = gradients[operand] + part if operand in gradients else part
    for destination in destinations.values():  # of parameters that the loss does not depend on
        program.store(program.number(0.0, (1,)), destination)
