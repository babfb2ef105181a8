"""Where everything lies in the picture of a computation graph. All lengths are in inches.

The samples flow downwards. An open layer is laid out by itself, and is then one box of the whole;
a value that enters or leaves it passes its edge at a port.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from matplotlib.font_manager import FontProperties

from stages.figures.layout import text_width
from stages.figures.tasks.graph_layers import Layer, depends_on_samples, inside, operands
from stages.figures.tasks.graph_ranks import PASSING, Link, Ranks, Vertex, arrange
from stages.graph.node import Node

TITLE, DETAIL = 10.0, 9.0  # points
LINE, PADDING = 0.19, 0.1  # of text in a box
SIGN = 0.08  # beside the text of a closed layer, for the sign of graph.svg that opens it
SPACE = 0.09  # between its title and its shape
FRAME, HEAD = 0.12, 0.28  # around an open layer, and above it, for its title
HEAD_LENGTH, HEAD_WIDTH = 0.085, 0.075  # of an arrow
BOLD = FontProperties(family="DejaVu Sans", size=TITLE, weight="bold")
PLAIN = FontProperties(family="DejaVu Sans", size=DETAIL)

Point = tuple[float, float]


@dataclass(frozen=True)
class Text:
    """A text in a box, from its left end on the line on which it stands."""

    text: str
    bold: bool
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """A node, or a layer, open or closed.

    shape: of its value; empty for a number
    x, y: of its left upper corner
    """

    part: Node | Layer
    title: str
    shape: str
    x: float
    y: float
    width: float
    height: float
    is_open: bool = False

    def moved(self, x: float, y: float) -> "Box":
        """The same elsewhere."""
        return replace(self, x=self.x + x, y=self.y + y)

    def texts(self) -> list[Text]:
        """Its title and its shape, and how large a closed layer is."""
        if self.is_open:
            return [Text(self.title, True, self.x + FRAME, self.y + HEAD - 0.1)]
        lines = [[(self.title, True), (self.shape, False)]]
        if isinstance(self.part, Layer):
            lines.append([(detail(self.part), False)])
        y = self.y + (self.height - len(lines) * LINE) / 2 + 0.14
        found = []
        for line in lines:
            x = self.x + (self.width - _width(line)) / 2
            for text, bold in line:
                found += [Text(text, bold, x, y)] if text else []
                x += _text_width(text, bold) + SPACE
            y += LINE
        return found


@dataclass(frozen=True)
class Piece:
    """A piece of the way of a value.

    points: straight from one to the next, or in a curve that begins and ends downwards
    arrives: whether it ends at a box, with the head of an arrow
    """

    value: Node
    points: tuple[Point, ...]
    arrives: bool

    def moved(self, x: float, y: float) -> "Piece":
        """The same elsewhere."""
        return replace(self, points=tuple((px + x, py + y) for px, py in self.points))

    def outline(self) -> list[tuple[Point, ...]]:
        """Its line: where it begins, and for each part its end, a curve's with control points."""
        points = self.points
        if self.arrives:  # the line ends inside the arrow's head
            (x, y), before = points[-1], points[-2]
            short = (x, y - 0.8 * HEAD_LENGTH)
            points = (*points[:-2], short if before == points[-1] else before, short)
        found: list[tuple[Point, ...]] = [points[:1]]
        for (x, y), end in pairwise(points):
            if x != end[0] and y != end[1]:
                middle = (y + end[1]) / 2
                found.append(((x, middle), (end[0], middle), end))
            elif (x, y) != end:
                found.append((end,))
        return found

    def head(self) -> tuple[Point, Point, Point] | None:
        """The corners of its head."""
        if not self.arrives:
            return None
        x, y = self.points[-1]
        up = y - HEAD_LENGTH
        return (x, y), (x - HEAD_WIDTH / 2, up), (x + HEAD_WIDTH / 2, up)


@dataclass(frozen=True)
class Drawing:
    """Boxes and the arrows between them.

    boxes: an open layer comes before what is in it
    entries, exits: the places in the upper and in the lower edge where values pass, by value
    """

    width: float
    height: float
    boxes: list[Box]
    pieces: list[Piece]
    entries: dict[Node, float]
    exits: dict[Node, float]


def place(model: Layer, opened: Collection[Layer]) -> Drawing:
    """The whole model; a layer is drawn as one box unless it is in `opened`."""
    return _place(model, opened, depends_on_samples(model.nodes()), [])


def title(part: Node | Layer, path: str = "") -> str:
    """The name of what a box stands for, within the layer of that path."""
    if isinstance(part, Layer):
        return part.title
    if part.operation == "constant" and part.shape == ():
        return f"{float(part.attributes['value']):.4g}"
    return part.name.removeprefix(f"{path}.") or part.operation.replace("_", " ")


def shape(part: Node | Layer, exits: Sequence[Node]) -> str:
    """The shape of a value, or of the last that leaves a layer; exits: the values that leave it."""
    if isinstance(part, Layer):
        return shape(exits[-1], ()) if exits else ""
    if part.operation == "constant" and part.shape == ():
        return ""
    return " × ".join(map(str, part.shape)) or "scalar"


def detail(layer: Layer) -> str:
    """How large a layer is."""
    others = ("parameter", "state", "constant", "input")
    operations = sum(node.operation not in others for node in layer.nodes())
    plural = "" if operations == 1 else "s"
    return f"{operations} operation{plural}, {layer.parameters:,} parameters"


def _place(
    layer: Layer, opened: Collection[Layer], samples: AbstractSet[Node], exits: Sequence[Node]
) -> Drawing:
    """What is in a layer, from its upper to its lower edge; exits: the values that leave it."""
    home = {node: part for part in layer.parts for node in inside(part)}
    vertices: dict[Node | Layer, Vertex] = {}
    drawings: dict[Node | Layer, Drawing] = {}
    for part in layer.parts:
        leaving = _leaving(part, home, exits)
        if isinstance(part, Layer) and part in opened:
            drawings[part] = _framed(_place(part, opened, samples, leaving), part)
            width, height = drawings[part].width, drawings[part].height
        else:
            width, height = _size(part, layer, leaving)
        flows = any(node in samples and node.operation != "input" for node in inside(part))
        vertices[part] = Vertex(width, height, flows)
    upper = {o: Vertex(PASSING, edge=-1) for node in home for o in operands(node) if o not in home}
    lower = {value: Vertex(PASSING, edge=1) for value in exits}
    links = []
    for value, start, end in _arrows(home, exits):
        link = Link(
            upper[value] if start is None else vertices[start],
            lower[value] if end is None else vertices[end],
            value,
        )
        if start in drawings:
            link.tail = drawings[start].exits[value] - drawings[start].width / 2
        elif start is not None:  # each value leaves a closed layer at a place of its own
            leaving = _leaving(start, home, exits)
            link.tail = vertices[start].width * ((leaving.index(value) + 0.5) / len(leaving) - 0.5)
        if end in drawings:
            link.head = drawings[end].entries[value] - drawings[end].width / 2
            link.fixed = True
        links.append(link)
    ranks = arrange([*upper.values(), *vertices.values(), *lower.values()], links)

    boxes, pieces = [], []
    for part, vertex in vertices.items():
        x, y = vertex.x - vertex.width / 2, vertex.top
        if part in drawings:
            boxes += [box.moved(x, y) for box in drawings[part].boxes]
            pieces += [piece.moved(x, y) for piece in drawings[part].pieces]
        else:
            text = title(part, layer.path), shape(part, _leaving(part, home, exits))
            boxes.append(Box(part, *text, x, y, vertex.width, vertex.height))
    arrive = {vertices[part] for part in vertices if part not in drawings}
    pieces += [_piece(link, ranks, link.end in arrive) for link in ranks.links]
    entries = {value: vertex.x for value, vertex in upper.items()}
    places = {value: vertex.x for value, vertex in lower.items()}
    return Drawing(ranks.width, ranks.bottoms[-1], boxes, pieces, entries, places)


def _piece(link: Link, ranks: Ranks, arrives: bool) -> Piece:
    """Down to the end of its rank, over to its place in the next, and down to its end."""
    start, end = link.start, link.end
    begin, stop = start.x + link.tail, end.x + link.head
    points = (
        (begin, start.bottom),
        (begin, ranks.bottoms[start.rank]),
        (stop, ranks.tops[end.rank]),
        (stop, end.top),
    )
    assert isinstance(link.value, Node)
    return Piece(link.value, points, arrives)


def _leaving(part: Node | Layer, nodes: Iterable[Node], exits: Sequence[Node]) -> list[Node]:
    """The values of a part that other nodes are computed from, or that leave the whole."""
    own = dict.fromkeys(inside(part))
    used = {*exits, *(o for node in nodes if node not in own for o in operands(node))}
    return [node for node in own if node in used]


def _arrows(
    home: Mapping[Node, Node | Layer], exits: Sequence[Node]
) -> Iterator[tuple[Node, Node | Layer | None, Node | Layer | None]]:
    """Value, start and end of each arrow; None is the edge. A layer takes a value in once."""
    taken: set[tuple[Node, Node | Layer]] = set()
    for node, part in home.items():
        for operand in operands(node):
            start = home.get(operand)
            if start is not part and (operand, part) not in taken:
                yield operand, start, part
                if isinstance(part, Layer):
                    taken.add((operand, part))
    for value in exits:
        yield value, home[value], None


def _size(part: Node | Layer, layer: Layer, exits: Sequence[Node]) -> tuple[float, float]:
    """Of a box in a layer, with its text in it."""
    lines = [[(title(part, layer.path), True), (shape(part, exits), False)]]
    if isinstance(part, Layer):
        lines.append([(detail(part), False)])
    beside = 2 * SIGN if isinstance(part, Layer) else 0.0
    return max(map(_width, lines)) + 2 * PADDING + beside, len(lines) * LINE + 1.4 * PADDING


def _width(line: Sequence[tuple[str, bool]]) -> float:
    """Of texts beside each other; bold or not."""
    widths = [_text_width(text, bold) for text, bold in line if text]
    return sum(widths) + SPACE * (len(widths) - 1)


@cache
def _text_width(text: str, bold: bool) -> float:
    return text_width(text, BOLD if bold else PLAIN)


def _framed(inner: Drawing, layer: Layer) -> Drawing:
    """An open layer with a frame around it, and above it a place for its title."""
    wide = _text_width(layer.title, True) + PADDING
    # No arrow passes through the title.
    left = max(FRAME, FRAME + wide - min(inner.entries.values(), default=wide))
    width, height = left + max(inner.width, wide) + FRAME, HEAD + inner.height + FRAME
    frame = Box(layer, layer.title, "", 0.0, 0.0, width, height, is_open=True)
    entries = {value: x + left for value, x in inner.entries.items()}
    exits = {value: x + left for value, x in inner.exits.items()}
    down = [
        *(_straight(value, x, 0.0, HEAD) for value, x in entries.items()),
        *(_straight(value, x, HEAD + inner.height, height) for value, x in exits.items()),
    ]
    boxes = [frame, *(box.moved(left, HEAD) for box in inner.boxes)]
    pieces = [*down, *(piece.moved(left, HEAD) for piece in inner.pieces)]
    return Drawing(width, height, boxes, pieces, entries, exits)


def _straight(value: Node, x: float, top: float, bottom: float) -> Piece:
    return Piece(value, ((x, top), (x, top), (x, bottom), (x, bottom)), arrives=False)
