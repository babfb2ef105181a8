"""graph.png: the computation graph that a task trains, as it is compiled."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

from stages.figures import layout, style
from stages.figures.tasks.graph_columns import fold
from stages.figures.tasks.graph_layers import Layer, find_layers
from stages.figures.tasks.graph_layout import (
    DETAIL,
    TITLE,
    Box,
    Drawing,
    Piece,
    place,
)
from stages.graph.node import Node

MARGIN = 0.2  # inches
KEY = 0.35  # the height of the key, below the graph
TALLEST = 11.0  # inches; of a graph that is taller even in columns, layers are closed
MANY = 32  # boxes: of a larger graph, layers are closed
FOLDED = 0.9  # the scale down to which a picture may be made smaller for the sake of columns
SMALLEST = 0.8  # the scale at which text can still be read; of a wider graph, layers are closed

FILLS = {
    "input": style.tint(style.SKY, 0.45),
    "parameter": style.tint(style.YELLOW, 0.6),
    "state": style.tint(style.ORANGE, 0.35),
    "constant": "#f2f2f2",
    "operation": "white",
    "layer": style.tint(style.BLUE, 0.12),
    "loss": style.tint(style.PURPLE, 0.55),
}
EDGES = {
    "input": style.BLUE,
    "parameter": "#a08c00",
    "state": "#a06c00",
    "constant": style.FAINT,
    "operation": "#555555",
    "layer": "#40688a",
    "loss": "#a0447a",
}


def draw_graph(loss: Node) -> Figure:
    """Everything that a loss is computed from, as boxes joined by arrows.

    Layers are open unless that would be too much for a picture.
    """
    model = find_layers(loss)
    _, drawing, scale = readable(model)
    width, height = drawing.width * scale, drawing.height * scale + KEY + 2 * MARGIN
    figure = layout.empty(height)
    axes = figure.add_axes((0, 0, 1, 1))
    left = (style.WIDTH - width) / 2
    # Data coordinates are the inches of the drawing, downwards.
    axes.set(
        xlim=(-left / scale, (style.WIDTH - left) / scale),
        ylim=((height - MARGIN) / scale, -MARGIN / scale),
    )
    axes.axis("off")
    for piece in drawing.pieces:
        _draw_piece(axes, piece, EDGES[kind(piece.value, loss)], scale)
    for box in drawing.boxes:
        _draw_box(axes, box, kind(box.part, loss), scale)
    _draw_key(figure, {kind(box.part, loss) for box in drawing.boxes if not box.is_open}, model)
    return figure


def kind(part: Node | Layer, loss: Node) -> str:
    """Which colour it has, a key of FILLS."""
    if isinstance(part, Layer):
        return "layer"
    if part is loss:
        return "loss"
    return part.operation if part.operation in FILLS else "operation"


def readable(model: Layer) -> tuple[set[Layer], Drawing, float]:
    """The drawing with as many layers open as can be read: those, and its scale."""
    room = style.WIDTH - 2 * MARGIN
    levels = [set[Layer]()]
    while new := {
        layer
        for parent in levels[-1] | {model}
        for layer in parent.parts
        if isinstance(layer, Layer) and layer not in levels[-1]
    }:
        levels.append(levels[-1] | new)
    for opened in reversed(levels):
        drawing = place(model, opened)
        if opened and sum(not box.is_open for box in drawing.boxes) > MANY:
            continue
        drawing = fold(drawing, room / FOLDED)
        scale = min(1.0, room / drawing.width)
        if scale >= SMALLEST and drawing.height * scale <= TALLEST:
            break
    return opened, drawing, scale


def _draw_piece(axes: Axes, piece: Piece, colour: str, scale: float) -> None:
    points = [point for part in piece.outline() for point in part]
    codes = [Path.MOVETO]
    for part in piece.outline()[1:]:
        codes += [Path.LINETO] if len(part) == 1 else [Path.CURVE4] * 3
    look: dict[str, Any] = {"linewidth": 1.2 * scale, "capstyle": "round", "joinstyle": "round"}
    line = Path(points, codes)
    axes.add_patch(PathPatch(line, facecolor="none", edgecolor=colour, zorder=2, **look))
    if head := piece.head():
        axes.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=2))


def _draw_box(axes: Axes, box: Box, kind: str, scale: float) -> None:
    corner = 0.06
    look: dict[str, Any] = {"facecolor": FILLS[kind], "edgecolor": EDGES[kind], "linewidth": scale}
    if box.is_open:
        look |= {"facecolor": "#00000009", "edgecolor": "#0000001a"}
    patch = FancyBboxPatch(
        (box.x + corner, box.y + corner),
        box.width - 2 * corner,
        box.height - 2 * corner,
        boxstyle=f"round,pad={corner}",
        zorder=1 if box.is_open else 3,
        **look,
    )
    axes.add_patch(patch)
    for text in box.texts():
        weight, size = ("bold", TITLE) if text.bold else ("normal", DETAIL)
        colour = style.GREY if box.is_open else style.INK
        axes.text(
            text.x, text.y, text.text, weight=weight, fontsize=size * scale, color=colour, zorder=4
        )


def _draw_key(figure: Figure, kinds: set[str], model: Layer) -> None:
    """What the colours mean, and the number of parameters, below the graph."""
    axes = figure.add_axes((0, 0, 1, KEY / figure.get_figheight()))
    axes.set(xlim=(0, style.WIDTH), ylim=(0, KEY))
    axes.axis("off")
    x, y = MARGIN, MARGIN
    for kind, fill in FILLS.items():
        if kind in kinds:
            look: dict[str, Any] = {"facecolor": fill, "edgecolor": EDGES[kind]}
            corners = "round,pad=0.03"
            axes.add_patch(FancyBboxPatch((x + 0.03, y - 0.03), 0.14, 0.06, corners, **look))
            axes.text(x + 0.27, y, kind, fontsize=9, va="center")
            x += 0.42 + 0.08 * len(kind)
    if model.parameters:
        dtype = next(node.dtype for node in model.nodes() if node.operation == "parameter")
        text = f"{model.parameters:,} parameters, {dtype}"
        axes.text(style.WIDTH - MARGIN, y, text, fontsize=9, ha="right", va="center")
