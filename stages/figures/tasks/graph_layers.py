"""The layers of a model, found in the names of its parameters.

"attention.query.weight" belongs to the layer "query" of the layer "attention". An operation belongs
where the parameters that it joins to the samples do, and so does everything between two operations
of a layer. What no parameter joins, such as an activation, stands between the layers.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import prod

from stages.graph.compile import needed
from stages.graph.node import Node, read

Path = tuple[str, ...]


@dataclass(eq=False)
class Layer:
    """A part of a model.

    path: its name as the names of its parameters begin; empty for the whole model
    name: the same without the name of the layer that it is a part of
    parts: its nodes and layers, each after all that it is computed from
    """

    path: str
    name: str
    parts: list["Node | Layer"]

    @property
    def title(self) -> str:
        """Its name; of a number alone one cannot see that it is the name of a layer."""
        return f"layer {self.name}" if self.name.isdigit() else self.name

    def nodes(self) -> Iterator[Node]:
        """All nodes in it, those of its layers, too."""
        for part in self.parts:
            yield from part.nodes() if isinstance(part, Layer) else (part,)

    def layers(self) -> Iterator["Layer"]:
        """The layers in it, each before those in it."""
        for part in self.parts:
            if isinstance(part, Layer):
                yield part
                yield from part.layers()

    @property
    def parameters(self) -> int:
        """How many numbers in it are trained."""
        trained = (node for node in self.nodes() if node.operation == "parameter")
        return sum(prod(int(size) for size in node.shape) for node in trained)


def find_layers(loss: Node) -> Layer:
    """The whole model, as it is in a training, in layers, and these in turn."""
    nodes = needed(loss.graph.nodes, [loss], training=True)
    drawn = [node for node in nodes if node.operation != "choose"]
    return Layer("", "", _parts(drawn, _paths(drawn), 0))


def operands(node: Node) -> list[Node]:
    """What is read to compute a node in a training."""
    return [chosen(operand) for operand in node.inputs]


def chosen(node: Node) -> Node:
    """The node, or what is chosen for a training, which is not drawn: it would be there twice."""
    while node.operation == "choose":
        (node,) = read(node, training=True)
    return node


def depends_on_samples(nodes: Iterable[Node]) -> set[Node]:
    """The inputs, and whatever is computed from them; nodes: each after its operands."""
    found: set[Node] = set()
    for node in nodes:
        if node.operation == "input" or any(operand in found for operand in operands(node)):
            found.add(node)
    return found


def _paths(nodes: Sequence[Node]) -> dict[Node, Path]:
    """The layers, from the outermost to the innermost, of each node that belongs to one."""
    paths: dict[Node, Path] = {}
    samples = depends_on_samples(nodes)
    for node in nodes:
        joined = [paths[o] for o in operands(node) if o in paths and o not in samples]
        if node.operation in ("parameter", "state"):
            paths[node] = tuple(node.name.split(".")[:-1])
        elif joined:
            paths[node] = _common(joined)
    return paths


def _common(paths: Sequence[Path]) -> Path:
    """The layers that all of them are in."""
    steps = takewhile(lambda step: len(set(step)) == 1, zip(*paths, strict=False))
    return tuple(step[0] for step in steps)


def _parts(nodes: list[Node], paths: Mapping[Node, Path], depth: int) -> list[Node | Layer]:
    """The nodes of a layer, or of the whole model if depth is 0, as its nodes and layers."""
    name = {node: path[depth] for node, path in paths.items() if len(path) > depth}
    layer: dict[Node, str] = {}
    for wanted in dict.fromkeys(name[node] for node in nodes if node in name):
        members = _members(nodes, wanted, name, layer)
        if len(members) > 1:
            layer.update(dict.fromkeys(members, wanted))
    parts: dict[Hashable, list[Node]] = {}
    for node in nodes:
        parts.setdefault(layer.get(node, node), []).append(node)
    return _sorted(
        [
            _layer(key, members, paths, depth + 1) if isinstance(key, str) else members[0]
            for key, members in parts.items()
        ]
    )


def _layer(name: str, nodes: list[Node], paths: Mapping[Node, Path], depth: int) -> Layer:
    parts = _parts(nodes, paths, depth)
    if len(parts) == 1 and isinstance(parts[0], Layer):  # "blocks" of one block is "blocks.0"
        return Layer(parts[0].path, f"{name}.{parts[0].name}", parts[0].parts)
    path = next(paths[node] for node in nodes if node in paths)[:depth]
    return Layer(".".join(path), name, parts)


def _members(
    nodes: Sequence[Node], wanted: str, name: Mapping[Node, str], layer: Mapping[Node, str]
) -> set[Node]:
    """The nodes of the layer `wanted`.

    A way that leaves a layer must not come back, or no arrangement could have all arrows point
    down. So what lies between two nodes of it is in it, too; if a part of another layer does, as
    between two uses of one embedding, only the first of the two nodes is.

    layer: the nodes of the layers that are complete
    """
    unit = {node: layer.get(node, node) for node in nodes}
    before: dict[Hashable, set[Hashable]] = {key: set() for key in unit.values()}
    after: dict[Hashable, set[Hashable]] = {key: set() for key in unit.values()}
    for node in nodes:
        for operand in operands(node):
            if operand in unit and unit[operand] != unit[node]:
                before[unit[node]].add(unit[operand])
                after[unit[operand]].add(unit[node])
    members: set[Hashable] = set()
    for node in nodes:
        if name.get(node) == wanted and unit[node] is node:
            more = members | {node}
            between = _reached(more, after) & _reached(more, before)
            if all(isinstance(key, Node) and name.get(key) in (None, wanted) for key in between):
                members = between
    constants = {
        node
        for node in nodes
        if node.operation == "constant" and after.get(node) and after[node] <= members
    }
    return {node for node in nodes if node in members or node in constants}


def _reached(start: set[Hashable], ways: Mapping[Hashable, set[Hashable]]) -> set[Hashable]:
    """Whatever the ways lead to, the start included."""
    found, pending = set(start), list(start)
    while pending:
        new = ways[pending.pop()] - found
        found |= new
        pending.extend(new)
    return found


def _sorted(parts: list[Node | Layer]) -> list[Node | Layer]:
    """The parts, each after all that it is computed from, else in their order."""
    home = {node: part for part in parts for node in inside(part)}
    found: dict[Node | Layer, None] = {}

    def visit(part: Node | Layer) -> None:
        if part not in found:
            for node in inside(part):
                for operand in operands(node):
                    if home.get(operand, part) is not part:
                        visit(home[operand])
            found[part] = None

    for part in parts:
        visit(part)
    return list(found)


def inside(part: Node | Layer) -> list[Node]:
    """The nodes of a part of a model."""
    return list(part.nodes()) if isinstance(part, Layer) else [part]
