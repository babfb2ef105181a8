"""From the record of a computation to a program that runs."""

from collections.abc import Iterable, Mapping, Sequence

from stages.graph.differentiate import differentiate
from stages.graph.node import Node, read
from stages.graph.operation import OPERATIONS, SAMPLES
from stages.graph.program import Program
from stages.graph.value import Array, Value
from stages.graph.writer import Rounding, Writer


def compiled(
    nodes: Sequence[Node],
    outputs: Sequence[Node],
    kept: Mapping[str, Array],
    gradients: dict[str, Array] | None,
    samples: int,
    lead: int,
    training: bool = False,
    rounding: Rounding | None = None,
    readable: Sequence[Node] | bool = False,
) -> Program:
    """The program that computes the outputs.

    nodes: in an order in which each comes after its operands
    kept: where parameters and states lie, by name
    gradients: where those of the first output are to lie, by the names of the parameters; None if
        they are not asked for
    lead: the leading axis of the inputs, 1 if all runs share them
    training: whether it is for training, and changes states
    rounding: of the graph, see `Graph`
    readable: the nodes whose values and gradients can be read; True for all that are computed
    """
    writer = Writer(outputs[0].graph.dtype, samples, rounding)
    values: dict[Node, Value] = {}

    def shape(node: Node) -> tuple[int, ...]:
        return tuple(samples if size == SAMPLES else int(size) for size in node.shape)

    order = needed(nodes, outputs, training)
    updates = updated(order) if training else {}
    for node in needed(nodes, [*outputs, *updates.values()], training):
        if node.operation == "input":
            values[node] = writer.input(node.name, (lead, *shape(node)), node.dtype)
        elif node.operation in ("parameter", "state"):
            values[node] = writer.external(kept[node.name])
        elif node.operation == "constant":
            values[node] = constant(writer, node.attributes["value"])
        else:
            operands = [values[operand] for operand in read(node, training)]
            values[node] = OPERATIONS[node.operation].value(*operands, **node.attributes)
    for state, node in updates.items():
        writer.replace(values[node], kept[state.name])
    forward_calls = writer.length
    found: dict[Node, Value] = {}
    if gradients is not None:
        found = differentiate(outputs[0], order, values, writer, gradients, training)
    names = [node.name for node in nodes if node.operation == "input"]
    shown = (order if readable else []) if isinstance(readable, bool) else readable
    for node in shown:
        if node not in values:
            raise ValueError(f"compile: {node!r} is to be kept, but no output depends on it")
    return writer.program(
        [values[node] for node in outputs],
        forward_calls,
        names,
        {node: values[node] for node in shown},
        {node: found[node].broadcast(values[node].shape) for node in shown if node in found},
    )


def constant(writer: Writer, value: Array) -> Value:
    """A value that never changes, a known number if it is one."""
    if value.ndim == 0 and value.dtype.kind == "f":
        return writer.number(float(value), (1,))
    return writer.external(value[None], fixed=True)


def updated(nodes: Iterable[Node]) -> dict[Node, Node]:
    """The states that a training which computes these nodes changes, with their new values.

    Raises ValueError if one of the nodes is such a state: what it is then, old or new, is unclear.
    """
    updates: dict[Node, Node] = {}
    for node in nodes:
        updates |= node.attributes.get("updates", {})
    for state in updates:
        if state in nodes:
            raise ValueError(f"state {state.name}: a training reads it and changes it, too")
    return updates


def needed(nodes: Sequence[Node], outputs: Sequence[Node], training: bool = False) -> list[Node]:
    """Those of the nodes that the outputs depend on, in their order."""
    found, pending = set[Node](), list(outputs)
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending.extend(read(node, training))
    return [node for node in nodes if node in found]
