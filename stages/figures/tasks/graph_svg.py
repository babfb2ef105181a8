"""graph.svg: the computation graph, a drawing for each choice of open layers.

By itself it shows one of them. In a page, the style sheet gives the colours, and the script shows
the drawing that is asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from html import escape

from stages.figures.tasks.graph import EDGES, FILLS, kind, readable
from stages.figures.tasks.graph_columns import fold
from stages.figures.tasks.graph_layers import Layer, chosen, find_layers
from stages.figures.tasks.graph_layout import Box, Drawing, Point, place
from stages.graph.formula import formula, names
from stages.graph.node import Node

PIXELS = 96  # to the inch, as CSS has them
BORDER = 2  # pixels around a drawing, so that no line is cut in half
CHOICES = 8  # up to here every choice of layers is drawn, beyond that one open layer at a time
WIDEST = 10.0  # inches
FONT = "DejaVu Sans, Verdana, sans-serif"
FRAME = 'fill="#000000" fill-opacity="0.04" stroke="#dddddd"'


def graph_svg(loss: Node, task: str) -> str:
    """Everything that a loss is computed from, as an SVG file.

    A drawing is an <svg> whose data-open has the paths of the open layers. Where it is in columns,
    class "wide", there is another in one column for narrow windows, class "narrow". What stands for
    a layer has its path in data-layer. The file shows one drawing, wide if there is a choice.
    """
    model = find_layers(loss)
    shown, _, _ = readable(model)
    drawn = set(model.nodes())
    name = names(node for node in loss.graph.nodes if node in drawn)
    name |= {o: name[chosen(o)] for node in drawn for o in node.inputs}
    formulas = {node: f"{name[node]} = {formula(node, name)}" for node in drawn}
    parts, size = [], ""
    for opened in _choices(model, shown):
        paths = " ".join(layer.path for layer in model.layers() if layer in opened)
        long = place(model, opened)
        wide = fold(long, WIDEST)
        for form, drawing in [("", long)] if wide is long else [("wide", wide), ("narrow", long)]:
            is_shown = set(opened) == shown and form != "narrow"
            size = _size(drawing) if is_shown else size
            label = f"The computation graph of {task}, {form + ', ' if form else ''}"
            label += f"with {paths} open" if paths else "with its layers closed"
            about = {"class": form, "data-open": paths, "aria-label": label, "role": "group"}
            about |= {} if is_shown else {"display": "none"}
            given = " ".join(f'{key}="{escape(value)}"' for key, value in about.items())
            parts.append(
                f"<svg {given} {_size(drawing)}>\n{_content(drawing, loss, formulas)}</svg>\n"
            )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="12"'
    return f'{head} style="background: white">\n{"".join(parts)}</svg>\n'


def _choices(model: Layer, shown: Collection[Layer]) -> list[Collection[Layer]]:
    """The sets of open layers that are drawn."""
    every = list(model.layers())
    nested = any(layer not in model.parts for layer in every)
    if not nested and 2 ** len(every) <= CHOICES:
        return [
            [layer for bit, layer in enumerate(every) if number >> bit & 1]
            for number in range(2 ** len(every))
        ]
    ways = [[above for above in every if layer in (above, *above.layers())] for layer in every]
    return list({frozenset(way): way for way in [[], *ways, list(shown), every]}.values())


def _size(drawing: Drawing) -> str:
    width, height = (PIXELS * inches + 2 * BORDER for inches in (drawing.width, drawing.height))
    box = f'viewBox="{-BORDER} {-BORDER} {width:.0f} {height:.0f}"'
    return f'{box} width="{width:.0f}" height="{height:.0f}"'


def _content(drawing: Drawing, loss: Node, formulas: Mapping[Node, str]) -> str:
    parts = [_box(box, loss, formulas) for box in drawing.boxes if box.is_open]
    for value in dict.fromkeys(piece.value for piece in drawing.pieces):
        pieces = [piece for piece in drawing.pieces if piece.value is value]
        lines = "".join(_path(piece.outline()) for piece in pieces)
        heads = "".join(_path([(corner,) for corner in h]) for p in pieces if (h := p.head()))
        name = kind(value, loss)
        look = f'class="line {name}" fill="none" stroke="{EDGES[name]}" stroke-width="1.5"'
        parts.append(f'<path {look} d="{lines}"/>')
        parts.append(f'<path class="head {name}" fill="{EDGES[name]}" d="{heads}"/>')
    parts += [_box(box, loss, formulas) for box in drawing.boxes if not box.is_open]
    return "".join(f"{part}\n" for part in parts)


def _path(parts: Sequence[tuple[Point, ...]]) -> str:
    """The path through the ends of the parts; one of three points is a curve."""
    letters = ("M", *("L" if len(part) == 1 else "C" for part in parts[1:]))
    points = (" ".join(f"{PIXELS * x:.0f} {PIXELS * y:.0f}" for x, y in part) for part in parts)
    return "".join(letter + way for letter, way in zip(letters, points, strict=True))


def _box(box: Box, loss: Node, formulas: Mapping[Node, str]) -> str:
    name = kind(box.part, loss)
    look = f'fill="{FILLS[name]}" stroke="{EDGES[name]}"'
    about, tip = "", formulas[box.part] if isinstance(box.part, Node) else ""
    if isinstance(box.part, Layer):
        about = f' data-layer="{escape(box.part.path)}"'
        tip = f"{box.part.path}: {'close' if box.is_open else 'open'} this layer"
    if box.is_open:
        name, look = "layer open", FRAME
    x, y, width, height = (f"{PIXELS * n:.0f}" for n in (box.x, box.y, box.width, box.height))
    shapes = f'<rect {look} x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
    if about:  # minus, or plus
        right, top = PIXELS * (box.x + box.width) - 11, PIXELS * box.y + 9
        way = f"M{right:.0f} {top:.0f}h6" + ("" if box.is_open else "m-3 -3v6")
        shapes += f'<path class="sign" stroke="{EDGES["layer"]}" d="{way}"/>'
    for text in box.texts():
        weight = ' class="title" font-size="13.33" font-weight="bold"' if text.bold else ""
        at = f'x="{PIXELS * text.x:.0f}" y="{PIXELS * text.y:.0f}"'
        shapes += f"<text {at}{weight}>{escape(text.text)}</text>"
    return f'<g class="{name}"{about}><title>{escape(tip)}</title>{shapes}</g>'
