"""Where the boxes of a computation graph lie in its picture, without a graph library.

The way of the samples through the network runs from left to right, and what joins it on the way,
such as parameters, stands above the place where it joins. A long network continues in the next row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stages.figures import style
from stages.graph.node import Node

# Inches.
WIDTH, HEIGHT = 0.84, 0.52  # of a box
PITCH, LEVEL = 1.09, 0.74  # from one column, or one level, to the next
WIDEST_PITCH = 1.45
COLUMNS = 7  # in a row at most
CHANNEL = 0.42  # between two rows, for the arrow that joins them
MARGIN = 0.2
BAND = 0.09  # by which the band of a layer is larger than its boxes
NAME = 0.16  # the height of a band's name
KEY = 0.35  # the height of the key, below the graph


@dataclass(eq=False)
class Box:
    """A node and its place: column and level of a row; x and y of its middle, in inches."""

    node: Node
    column: int
    level: int  # 0 is the way of the samples; what joins it is above
    row: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def kind(self) -> str:
        """Which colour it has: input, parameter, operation or loss."""
        if self.node.operation in ("input", "parameter"):
            return self.node.operation
        return "loss" if self.node.shape == () and self.level == 0 else "operation"


def place(nodes: Sequence[Node]) -> tuple[list[Box], float]:
    """A box for each node, none over another, and the height of the picture in inches.

    nodes: each after its operands; the last one is the end of the samples' way
    """
    boxes = _columns_and_levels(nodes)
    rows = _rows(boxes)
    columns = max(last - first for first, last in rows)
    pitch = min(WIDEST_PITCH, PITCH * (COLUMNS - 1) / max(columns - 1, 1))
    left = (style.WIDTH - (columns - 1) * pitch) / 2
    y = MARGIN + KEY
    for row in reversed(range(len(rows))):
        first, last = rows[row]
        y += HEIGHT / 2 + BAND
        top = y
        for box in boxes:
            if first <= box.column < last:
                box.row, box.x = row, left + (box.column - first) * pitch
                box.y = y + box.level * LEVEL
                top = max(top, box.y)
        y = top + HEIGHT / 2 + BAND + NAME + (CHANNEL if row else 0.0)
    return boxes, y + MARGIN / 2


def _columns_and_levels(nodes: Sequence[Node]) -> list[Box]:
    """The longest way from the samples to the last node along level 0, a column for each node.

    Everything else is in the column of its first user, above it.
    """
    longest: dict[Node, list[Node]] = {}
    user: dict[Node, Node] = {}
    for node in nodes:
        ways = [longest[operand] for operand in node.inputs]
        longest[node] = [*max(ways, key=_from_samples_and_long, default=[]), node]
        for operand in node.inputs:
            user.setdefault(operand, node)
    main = longest[nodes[-1]]
    boxes = {node: Box(node, column, 0) for column, node in enumerate(main)}
    highest = [0] * len(main)
    for node in reversed(nodes):  # users before what they use
        if node not in boxes:
            column = boxes[user[node]].column
            highest[column] += 1
            boxes[node] = Box(node, column, highest[column])
    return list(boxes.values())


def _from_samples_and_long(way: list[Node]) -> tuple[bool, int]:
    return way[0].operation == "input", len(way)


def layers(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes of each layer: its parameters, and what leads from them to the way of the samples.

    Parameters belong to one layer if their names are the same up to a dot: "0.weight", "0.bias".
    """
    user: dict[Node, Box] = {}
    for box in sorted(boxes, key=lambda box: -box.column):
        user.update(dict.fromkeys(box.node.inputs, box))
    found: dict[str, list[Box]] = {}
    for box in boxes:
        if box.node.operation == "parameter" and "." in box.node.name:
            layer = found.setdefault(box.node.name.split(".")[0], [])
            layer.append(box)
            while box.level and box.node in user:
                box = user[box.node]
                if box not in layer:
                    layer.append(box)
    return sorted(found.values(), key=lambda layer: min(box.column for box in layer))


def _rows(boxes: list[Box]) -> list[tuple[int, int]]:
    """(first column, column after the last) of each row: few rows, short ones, no layer broken."""
    count = max(box.column for box in boxes) + 1
    joined: set[int] = set()
    for layer in layers(boxes):
        columns = [box.column for box in layer]
        joined.update(range(min(columns) + 1, max(columns) + 1))
    starts = [column for column in range(count) if column not in joined]
    if any(stop - start > COLUMNS for start, stop in pairwise([*starts, count])):
        starts = list(range(count))  # a layer longer than a row is broken after all

    def fill(capacity: int) -> list[tuple[int, int]]:
        rows = [(0, 0)]
        for start, stop in pairwise([*starts, count]):
            if stop - rows[-1][0] > capacity and start > rows[-1][0]:
                rows.append((start, stop))
            rows[-1] = rows[-1][0], stop
        return rows

    fewest = len(fill(COLUMNS))
    return next(rows for n in range(1, COLUMNS + 1) if len(rows := fill(n)) == fewest)
