"""A long drawing in columns, as a text is: cut below a box from which all arrows lead on."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from stages.figures.tasks.graph_layout import Box, Drawing, Piece

BETWEEN = 0.5  # inches between two columns, for the arrow that leads to the next
TURN = 0.14  # by which it passes below one column
SHORT = 6.0  # inches: a drawing of at most this height stays one column
COLUMNS = 4  # at most
GAIN = 0.75  # of the height with fewer columns: more that are longer are not worth it


@dataclass(frozen=True)
class Column:
    """A part of a drawing, from one height to another.

    first: the piece of an arrow that begins in the column before, None for the first column
    """

    boxes: list[Box]
    pieces: list[Piece]
    top: float
    bottom: float
    first: Piece | None

    @property
    def across(self) -> tuple[float, float]:
        """Where it begins and ends from left to right."""
        points = [x for piece in self.pieces for x, _ in piece.points]
        left, right = [box.x for box in self.boxes], [box.x + box.width for box in self.boxes]
        return min(left + points), max(right + points)


def fold(drawing: Drawing, room: float) -> Drawing:
    """The lowest drawing of the same that is no wider than `room`, in columns where it is long."""
    best: list[Column] = []
    lowest = drawing.height
    cuts = _cuts(drawing) if drawing.height > SHORT else []
    for count in range(1, COLUMNS):
        limit = GAIN * lowest
        for chosen in combinations(cuts, count):
            levels = [0.0, *(cut.points[0][1] for cut in chosen), drawing.height]
            height = max(bottom - top for top, bottom in pairwise(levels))
            if height < min(limit, lowest):
                columns = _columns(drawing, levels, chosen)
                spans = [column.across for column in columns]
                width = sum(right - left for left, right in spans) + BETWEEN * count
                if width <= room:
                    best, lowest = columns, height
    return _beside(best) if best else drawing


def _cuts(drawing: Drawing) -> list[Piece]:
    """From top to bottom a piece for each box from which all arrows lead on."""
    cuts: dict[float, Piece] = {}
    for piece in drawing.pieces:
        start = piece.points[0]
        y = start[1]
        beside = any(
            other.points[0] != start and other.points[-1] != start
            for other in drawing.pieces
            if other.points[0][1] <= y <= other.points[-1][1]
        )
        if not beside and not any(box.y < y < box.y + box.height for box in drawing.boxes):
            cuts.setdefault(y, piece)
    return [cuts[y] for y in sorted(cuts)]


def _columns(drawing: Drawing, levels: Sequence[float], cuts: Sequence[Piece]) -> list[Column]:
    return [
        Column(
            [box for box in drawing.boxes if top <= box.y < bottom],
            [piece for piece in drawing.pieces if top <= piece.points[0][1] < bottom],
            top,
            bottom,
            first,
        )
        for (top, bottom), first in zip(pairwise(levels), [None, *cuts], strict=True)
    ]


def _beside(columns: Sequence[Column]) -> Drawing:
    """The columns from left to right, with the arrows that lead from each to the next."""
    boxes, pieces = [], []
    x = 0.0
    end = 0.0, 0.0  # of the column before
    for column in columns:
        left, right = column.across
        over, up = x - left, -column.top
        boxes += [box.moved(over, up) for box in column.boxes]
        pieces += [piece.moved(over, up) for piece in column.pieces]
        if column.first is not None:
            begin, bottom = column.first.points[0][0] + end[0], end[1]
            between, to = x - BETWEEN / 2, column.first.points[0][0] + over
            low = bottom + TURN
            way = (begin, bottom), (begin, low), (between, low), (between, 0.0), (to, 0.0)
            pieces.append(Piece(column.first.value, way, arrives=False))
        end = over, column.bottom + up
        x += right - left + BETWEEN
    height = max(column.bottom - column.top for column in columns) + TURN
    return Drawing(x - BETWEEN, height, boxes, pieces, {}, {})
