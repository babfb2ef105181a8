"""Reverse-mode differentiation: the chain rule from the loss back to the parameters."""

from collections.abc import Mapping, Sequence

from stages.graph.node import Node, read
from stages.graph.operation import OPERATIONS
from stages.graph.value import Array, Value
from stages.graph.writer import Writer


def differentiate(
    loss: Node,
    order: Sequence[Node],
    values: Mapping[Node, Value],
    writer: Writer,
    destinations: dict[str, Array],
    training: bool,
) -> dict[Node, Value]:
    """Writes the gradients of the loss with respect to all parameters.

    returns: the gradients of all nodes that have one

    order: the nodes that the loss depends on, each after its operands
    values: of these nodes
    destinations: where the gradients are to lie, by the names of the parameters; used up
    """
    gradients = {loss: writer.number(1.0, (1,))}
    complete: dict[Node, Value] = {}
    for node in reversed(order):
        if node not in gradients or not node.needs_gradient:
            continue
        # since all that read the node came before
        complete[node] = gradient = gradients.pop(node)
        if node.operation == "parameter":
            writer.store(gradient, destinations.pop(node.name))
            continue
        inputs = read(node, training)
        operands = [values[operand] for operand in inputs]
        derivatives = OPERATIONS[node.operation].derivatives_of(len(operands))
        for operand, value, derivative in zip(inputs, operands, derivatives, strict=True):
            if operand.needs_gradient and derivative is not None:
                part = derivative(gradient, values[node], *operands, **node.attributes)
                part = part.sum_to(value.shape)
                gradients[operand] = gradients[operand] + part if operand in gradients else part
    for destination in destinations.values():  # of parameters that the loss does not depend on
        writer.store(writer.number(0.0, (1,)), destination)
    return complete
