"""graph.png: the computation graph that a task trains, as it is compiled.

The picture is laid out here, without a graph library: the way of the samples through the network
runs from left to right, and what joins it on the way, such as parameters, stands above the place
where it joins. A long network continues in the next row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from stages.figures import style

# Inches.
WIDTH, HEIGHT = 0.84, 0.52  # of a box
PITCH, LEVEL = 1.09, 0.74  # from one column, or one level, to the next
WIDEST_PITCH = 1.45
COLUMNS = 7  # in a row at most
CHANNEL = 0.42  # between two rows, for the arrow that joins them
MARGIN = 0.2
BAND = 0.09  # by which the band of a layer is larger than its boxes
NAME = 0.16  # the height of a band's name

FILLS = {
    "input": style.tint(style.SKY, 0.45),
    "parameter": style.tint(style.YELLOW, 0.6),
    "operation": "white",
    "loss": style.tint(style.PURPLE, 0.55),
}
EDGES = {
    "input": style.BLUE,
    "parameter": "#a08c00",
    "operation": "#555555",
    "loss": "#a0447a",
}


class Node(Protocol):
    """What the picture needs to know of a node of the graph."""

    @property
    def operation(self) -> str: ...
    @property
    def inputs(self) -> tuple["Node", ...]: ...
    @property
    def shape(self) -> tuple[int | str, ...]: ...
    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> "np.dtype[Any]": ...


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
        """Which of the colours of the key it has."""
        if self.node.operation in ("input", "parameter"):
            return self.node.operation
        return "loss" if self.node.shape == () and self.level == 0 else "operation"


def draw_graph(loss: Node) -> Figure:
    """All that a loss is computed from, as boxes joined by arrows, each layer in a band."""
    boxes, width, height = place(ancestry(loss))
    figure = style.empty(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    by_node = {id(box.node): box for box in boxes}
    for number, layer in enumerate(layers(boxes), start=1):
        _draw_band(axes, layer, f"layer {number}")
    for box in boxes:
        for operand in box.node.inputs:
            _draw_arrow(axes, by_node[id(operand)], box)
    for box in boxes:
        _draw_box(axes, box)
    _draw_key(axes, boxes, width)
    return figure


# ------------------------------------------------------------------------------------- layout


def ancestry(last: Node) -> list[Node]:
    """The nodes that one is computed from, each after its operands, and that one."""
    order: dict[int, Node] = {}
    pending = [last]
    while pending:
        node = pending[-1]
        missing = [operand for operand in node.inputs if id(operand) not in order]
        if missing:
            pending.append(missing[0])
        else:
            order[id(pending.pop())] = node
    return list(order.values())


def place(nodes: Sequence[Node]) -> tuple[list[Box], float, float]:
    """A box for each node, none over another, and the width and height of them all in inches."""
    boxes = _columns_and_levels(nodes)
    rows = _rows(boxes)
    columns = max(last - first for first, last in rows)
    pitch = min(WIDEST_PITCH, PITCH * (COLUMNS - 1) / max(columns - 1, 1))
    width = style.WIDTH
    left = (width - (columns - 1) * pitch) / 2
    y = MARGIN + 0.35  # from the bottom: room for the key
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
    return boxes, width, y + MARGIN / 2


def _columns_and_levels(nodes: Sequence[Node]) -> list[Box]:
    """The longest way from the samples to the last node along level 0, a column for each node.

    Everything else is in the column of its first user, above it.
    """
    longest: dict[int, list[Node]] = {}
    user: dict[int, Node] = {}
    for node in nodes:  # recorded in an order in which operands come first
        ways = [longest[id(operand)] for operand in node.inputs]
        longest[id(node)] = [*max(ways, key=_from_samples_and_long, default=[]), node]
        for operand in node.inputs:
            user.setdefault(id(operand), node)
    main = longest[id(nodes[-1])]
    boxes = [Box(node, column, 0) for column, node in enumerate(main)]
    column_of = {id(node): column for column, node in enumerate(main)}
    highest = [0] * len(main)
    for node in reversed(nodes):  # users before what they use
        if id(node) not in column_of:
            column = column_of[id(user[id(node)])] if id(node) in user else len(main) - 1
            column_of[id(node)] = column
            highest[column] += 1
            boxes.append(Box(node, column, highest[column]))
    return boxes


def _from_samples_and_long(way: list[Node]) -> tuple[bool, int]:
    return way[0].operation == "input", len(way)


def layers(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes of each layer: its parameters, and what leads from them to the way of the samples.

    Parameters are of one layer if their names are the same up to a dot: "0.weight", "0.bias".
    """
    user: dict[int, Box] = {}
    for box in sorted(boxes, key=lambda box: -box.column):
        user.update({id(operand): box for operand in box.node.inputs})
    found: dict[str, list[Box]] = {}
    for box in boxes:
        if box.node.operation == "parameter" and "." in box.node.name:
            layer = found.setdefault(box.node.name.split(".")[0], [])
            layer.append(box)
            while box.level and id(box.node) in user:
                box = user[id(box.node)]
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


# ------------------------------------------------------------------------------------ drawing


def _shape_text(shape: tuple[int | str, ...]) -> str:
    return " × ".join(map(str, shape)) or "scalar"


def _draw_box(axes: Axes, box: Box) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (box.x - WIDTH / 2 + 0.06, box.y - HEIGHT / 2 + 0.06),
            WIDTH - 0.12,
            HEIGHT - 0.12,
            boxstyle="round,pad=0.06",
            facecolor=FILLS[box.kind],
            edgecolor=EDGES[box.kind],
            linewidth=1.0,
            zorder=3,
        )
    )
    title = box.node.name or box.node.operation
    name = title.split("_") if len(title) > 9 else [title]
    middle: dict[str, Any] = {"ha": "center", "va": "baseline", "zorder": 4}
    baseline = box.y + (0.03 if len(name) == 1 else 0.085)
    for line, word in enumerate(name):
        text_y = baseline - 0.13 * line
        axes.text(box.x, text_y, word, weight="bold", fontsize=8.5, **middle)
    axes.text(
        box.x,
        box.y - (0.16 if len(name) == 1 else 0.185),
        _shape_text(box.node.shape),
        fontsize=7,
        **middle,
    )


def _draw_band(axes: Axes, layer: list[Box], name: str) -> None:
    left, right = min(b.x for b in layer) - WIDTH / 2, max(b.x for b in layer) + WIDTH / 2
    bottom, top = min(b.y for b in layer) - HEIGHT / 2, max(b.y for b in layer) + HEIGHT / 2
    top += NAME
    axes.add_patch(
        FancyBboxPatch(
            (left, bottom),
            right - left,
            top - bottom,
            boxstyle=f"round,pad={BAND}",
            facecolor="#f2f2f2",
            edgecolor="none",
            zorder=1,
        )
    )
    axes.text(
        (left + right) / 2, top - 0.04, name, fontsize=8, color=style.GREY, ha="center", va="center"
    )


def _draw_arrow(axes: Axes, start: Box, end: Box) -> None:
    look: dict[str, Any] = {
        "arrowstyle": "-|>,head_length=4.5,head_width=2.2",
        "color": EDGES[start.kind],
        "linewidth": 1.2,
        "shrinkA": 0,
        "shrinkB": 0,
        "zorder": 2,
        "joinstyle": "miter",
        "capstyle": "butt",
    }
    right, left = start.x + WIDTH / 2, end.x - WIDTH / 2
    points: list[tuple[float, float]]
    if start.row != end.row and not start.level and not end.level:
        channel = start.y - HEIGHT / 2 - BAND - CHANNEL / 2
        outside = [(right + 0.17, start.y), (right + 0.17, channel), (left - 0.17, channel)]
        points = [(right, start.y), *outside, (left - 0.17, end.y), (left, end.y)]
    elif start.level == end.level and end.column == start.column + 1:
        points = [(right, start.y), (left, end.y)]
    elif start.column == end.column and start.level == end.level + 1:
        points = [(start.x, start.y - HEIGHT / 2), (end.x, end.y + HEIGHT / 2)]
    elif start.level == end.level:  # past the boxes between them, underneath
        depth = start.y - HEIGHT / 2 - 0.15
        below = [(start.x, depth), (end.x, depth)]
        points = [(start.x, start.y - HEIGHT / 2), *below, (end.x, end.y - HEIGHT / 2)]
    else:  # down the side of its column
        side = start.x - WIDTH / 2 - 0.12
        points = [(start.x - WIDTH / 2, start.y), (side, start.y), (side, end.y), (left, end.y)]
    axes.add_patch(FancyArrowPatch(path=_rounded(points, 0.1), **look))


def _rounded(points: Sequence[tuple[float, float]], radius: float) -> Path:
    """The line through the points with round corners."""
    corners = np.array(points)
    vertices, codes = [corners[0]], [Path.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        for neighbour, code in ((before, Path.LINETO), (after, Path.CURVE3)):
            length = float(np.hypot(*(neighbour - corner)))
            near = corner + (neighbour - corner) * min(radius / max(length, 1e-9), 0.5)
            vertices += [near] if code == Path.LINETO else [corner, near]
            codes += [code] if code == Path.LINETO else [code, code]
    return Path([*vertices, corners[-1]], [*codes, Path.LINETO])


def _draw_key(axes: Axes, boxes: list[Box], width: float) -> None:
    """What the colours mean, and the number of parameters, below the graph."""
    x = MARGIN
    for kind in FILLS:
        swatch = FancyBboxPatch(
            (x + 0.03, MARGIN - 0.03),
            0.14,
            0.06,
            boxstyle="round,pad=0.03",
            facecolor=FILLS[kind],
            edgecolor=EDGES[kind],
        )
        axes.add_patch(swatch)
        axes.text(x + 0.27, MARGIN, kind, fontsize=8, va="center")
        x += 0.5 + 0.075 * len(kind)
    parameters = [box.node for box in boxes if box.node.operation == "parameter"]
    count = sum(prod(int(size) for size in node.shape) for node in parameters)
    if parameters:
        text = f"{count} parameters, {parameters[0].dtype}"
        axes.text(width - MARGIN, MARGIN, text, fontsize=8, ha="right", va="center")
