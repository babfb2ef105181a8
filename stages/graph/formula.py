"""The nodes of a graph in words: a name for each, and the formula of each."""

from collections.abc import Iterable, Mapping
from typing import Any

from stages.graph.node import Node


def names(nodes: Iterable[Node]) -> dict[Node, str]:
    """A name for each node, its own or its operation's, numbered from the second on.

    A constant that is a number is called by it, as in a formula.
    """
    found: dict[Node, str] = {}
    count: dict[str, int] = {}
    for node in nodes:
        name = node.name or node.operation
        if is_number(node):
            name = f"{node.attributes['value']:.6g}"
        elif not node.name:
            count[name] = count.get(name, 0) + 1
            name += f"_{count[name]}" if count[name] > 1 else ""
        found[node] = name
    return found


def is_number(node: Node) -> bool:
    """Whether a node is a constant without axes."""
    return node.operation == "constant" and node.shape == ()


def formula(node: Node, name: Mapping[Node, str]) -> str:
    """What a node is computed from, such as "sum(relu, axis=0)"; name: of those that are read."""
    if not node.inputs:
        return node.operation
    options = [f"{key}={value}" for key, value in node.attributes.items() if _is_said(value)]
    return (
        f"{node.operation}({', '.join([*(name[o] for o in node.inputs if o in name), *options])})"
    )


def _is_said(value: Any) -> bool:
    """Whether an attribute is an option that is not left out, and short enough to be written."""
    short = isinstance(value, (int, float, str, tuple)) and not isinstance(value, bool)
    return value is True or (short and value != ())


def listing(nodes: Iterable[Node]) -> str:
    """A line for each node that is not a number: name, formula, shape, and dtype if integer."""
    nodes = list(nodes)
    name = names(nodes)
    lines = [
        (f"{name[node]} = {formula(node, name)}", _shape(node))
        for node in nodes
        if not is_number(node)
    ]
    width = max((len(line) for line, _ in lines), default=0)
    return "\n".join(f"  {line:{width}}  {shape}" for line, shape in lines)


def _shape(node: Node) -> str:
    shape = ", ".join(map(str, node.shape)) + ("," if len(node.shape) == 1 else "")
    return f"({shape})" + (f" {node.dtype}" if node.dtype.kind == "i" else "")
