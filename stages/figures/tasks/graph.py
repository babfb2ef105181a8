"""graph.png: the computation graph that a task trains, as it is compiled."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from stages.figures import layout, style
from stages.figures.tasks.graph_layout import (
    BAND,
    CHANNEL,
    HEIGHT,
    MARGIN,
    NAME,
    WIDTH,
    Box,
    layers,
    place,
)
from stages.graph.compile import needed
from stages.graph.node import Node

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
ARROW: dict[str, Any] = {
    "arrowstyle": "-|>,head_length=4.5,head_width=2.2",
    "linewidth": 1.2,
    "shrinkA": 0,
    "shrinkB": 0,
    "zorder": 2,
    "joinstyle": "miter",
    "capstyle": "butt",
}


def draw_graph(loss: Node) -> Figure:
    """Everything that a loss is computed from, as boxes joined by arrows, each layer in a band."""
    boxes, height = place(needed(loss.graph.nodes, [loss]))
    figure = layout.empty(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.WIDTH), ylim=(0, height))
    axes.axis("off")
    by_node = {box.node: box for box in boxes}
    for number, layer in enumerate(layers(boxes), start=1):
        _draw_band(axes, layer, f"layer {number}")
    for box in boxes:
        for operand in box.node.inputs:
            _draw_arrow(axes, by_node[operand], box)
        _draw_box(axes, box)
    _draw_key(axes, boxes)
    return figure


def _draw_rectangle(
    axes: Axes, x: tuple[float, float], y: tuple[float, float], corner: float, **look: Any
) -> None:
    """A rectangle around x[0] to x[1] and y[0] to y[1], with round corners that are added to it."""
    corners = f"round,pad={corner}"
    patch = FancyBboxPatch((x[0], y[0]), x[1] - x[0], y[1] - y[0], boxstyle=corners, **look)
    axes.add_patch(patch)


def _draw_box(axes: Axes, box: Box) -> None:
    x = box.x - WIDTH / 2 + 0.06, box.x + WIDTH / 2 - 0.06
    y = box.y - HEIGHT / 2 + 0.06, box.y + HEIGHT / 2 - 0.06
    look = {"facecolor": FILLS[box.kind], "edgecolor": EDGES[box.kind], "linewidth": 1.0}
    _draw_rectangle(axes, x, y, 0.06, zorder=3, **look)
    title = box.node.name or box.node.operation
    name = title.split("_") if len(title) > 9 else [title]
    middle: dict[str, Any] = {"ha": "center", "va": "baseline", "zorder": 4}
    first, last = (0.03, -0.16) if len(name) == 1 else (0.085, -0.185)
    for line, word in enumerate(name):
        axes.text(box.x, box.y + first - 0.13 * line, word, weight="bold", fontsize=8.5, **middle)
    shape = " × ".join(map(str, box.node.shape)) or "scalar"
    axes.text(box.x, box.y + last, shape, fontsize=7, **middle)


def _draw_band(axes: Axes, layer: list[Box], name: str) -> None:
    x = min(b.x for b in layer) - WIDTH / 2, max(b.x for b in layer) + WIDTH / 2
    y = min(b.y for b in layer) - HEIGHT / 2, max(b.y for b in layer) + HEIGHT / 2 + NAME
    _draw_rectangle(axes, x, y, BAND, facecolor="#f2f2f2", edgecolor="none", zorder=1)
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    axes.text(sum(x) / 2, y[1] - 0.04, name, fontsize=8, color=style.GREY, **middle)


def _draw_arrow(axes: Axes, start: Box, end: Box) -> None:
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
    path = _rounded(points, 0.1)
    axes.add_patch(FancyArrowPatch(path=path, color=EDGES[start.kind], **ARROW))


def _rounded(points: Sequence[tuple[float, float]], radius: float) -> Path:
    """The line through the points with round corners."""
    corners = np.array(points)
    vertices, codes = [corners[0]], [Path.MOVETO]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        ways = before - corner, after - corner
        start, end = (corner + way * min(radius / max(np.hypot(*way), 1e-9), 0.5) for way in ways)
        vertices += [start, corner, end]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*vertices, corners[-1]], [*codes, Path.LINETO])


def _draw_key(axes: Axes, boxes: list[Box]) -> None:
    """What the colours mean, and the number of parameters, below the graph."""
    x = MARGIN
    for kind, fill in FILLS.items():
        across, up = (x + 0.03, x + 0.17), (MARGIN - 0.03, MARGIN + 0.03)
        _draw_rectangle(axes, across, up, 0.03, facecolor=fill, edgecolor=EDGES[kind])
        axes.text(x + 0.27, MARGIN, kind, fontsize=8, va="center")
        x += 0.5 + 0.075 * len(kind)
    parameters = [box.node for box in boxes if box.node.operation == "parameter"]
    count = sum(prod(int(size) for size in node.shape) for node in parameters)
    if parameters:
        text = f"{count} parameters, {parameters[0].dtype}"
        axes.text(style.WIDTH - MARGIN, MARGIN, text, fontsize=8, ha="right", va="center")
