"""From the record of a computation to a program that runs."""

from collections.abc import Mapping, Sequence

from stages.graph.differentiate import differentiate
from stages.graph.node import Node
from stages.graph.operation import OPERATIONS, SAMPLES
from stages.graph.program import Program
from stages.graph.value import Array, Value
from stages.graph.writer import Rounding, Writer


def compiled(
    nodes: Sequence[Node],
    outputs: Sequence[Node],
    parameters: Mapping[str, Array],
    gradients: dict[str, Array] | None,
    samples: int,
    lead: int,
    rounding: Rounding | None = None,
) -> Program:
    """The program that computes the outputs.

    nodes: in an order in which each comes after its operands
    parameters: where they lie, by name
    gradients: where those of the first output are to lie, by the names of the parameters; None if
        they are not asked for
    lead: the leading axis of the inputs, 1 if all runs share them
    rounding: of the graph, see `Graph`
    """
    writer = Writer(outputs[0].graph.dtype, samples, rounding)
    values: dict[Node, Value] = {}

    def shape(node: Node) -> tuple[int, ...]:
        return tuple(samples if size == SAMPLES else int(size) for size in node.shape)

    order = needed(nodes, outputs)
    for node in order:
        if node.operation == "input":
            values[node] = writer.input(node.name, (lead, *shape(node)), node.dtype)
        elif node.operation == "parameter":
            values[node] = writer.external(parameters[node.name])
        elif node.operation == "constant":
            values[node] = constant(writer, node.attributes["value"])
        else:
            operands = [values[operand] for operand in node.inputs]
            values[node] = OPERATIONS[node.operation].value(*operands, **node.attributes)
    forward_calls = writer.length
    if gradients is not None:
        differentiate(outputs[0], order, values, writer, gradients)
    return writer.program([values[node] for node in outputs], forward_calls)


def constant(writer: Writer, value: Array) -> Value:
    """A value that never changes, a known number if it is one."""
    if value.ndim == 0 and value.dtype.kind == "f":
        return writer.number(float(value), (1,))
    return writer.external(value[None], fixed=True)


def needed(nodes: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """Those of the nodes that the outputs depend on, in their order."""
    found, pending = set[Node](), list(outputs)
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending.extend(node.inputs)
    return [node for node in nodes if node in found]
