"""A layered layout: boxes in ranks, every arrow downwards, and none through a box.

The method of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures", 1981. An arrow that passes a rank has a place there as a box has. The order in a rank
is that of the barycentres of what each box is joined to; where a rank lies from left to right is a
least-squares problem with the order as its constraints, solved rank by rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

BESIDE = 0.17  # inches between boxes in a rank
PASSING = 0.2  # the width of the place of an arrow that passes
BETWEEN = 0.22  # between two ranks, and by how much more for each inch that an arrow goes sideways
SIDEWAYS, MOST = 0.08, 0.25
AFTER_EDGE, BEFORE_EDGE = 0.12, 0.03  # the same at an edge, if all arrows go straight down
PULL = (1.0, 1e-4, 1e-3)  # of an arrow, by how many of its ends pass a rank: boxes lie in a line
SWEEPS = 12


@dataclass(eq=False)
class Vertex:
    """A box, or the place where an arrow passes a rank.

    flows: whether it carries what the model computes from the samples. Such a box is as far up as
        it can be and below what it is computed from; another is just above what it joins.
    edge: -1 for a place in the upper edge of the picture, 1 for one in the lower edge, 0 for others
    passes: whether no arrow ends here
    x: of its middle
    """

    width: float = 0.0
    height: float = 0.0
    flows: bool = True
    edge: int = 0
    passes: bool = False
    rank: int = 0
    x: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


@dataclass(eq=False)
class Link:
    """An arrow, or the piece of one from a rank to the next.

    tail, head: where it begins and ends, to the right of the middle of its boxes
    fixed: whether `head` is given; if not, the arrows into a box share its upper edge
    value: arrows of one value out of one box go together as far as they can
    """

    start: Vertex
    end: Vertex
    value: object
    tail: float = 0.0
    head: float = 0.0
    fixed: bool = False


@dataclass
class Ranks:
    """Boxes that have their places, and the pieces of the arrows between them.

    tops, bottoms: of each rank
    """

    links: list[Link]
    width: float
    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)


def arrange(vertices: Sequence[Vertex], links: Sequence[Link]) -> Ranks:
    """Gives each vertex its place; vertices: each after those from which an arrow leads to it."""
    _rank(vertices, links)
    passing, pieces = _pieces(links)
    rows = _ordered([*passing, *vertices], pieces)
    place = {vertex: index for row in rows for index, vertex in enumerate(row)}
    _share_edges(vertices, pieces, place)
    _settle(rows, pieces)
    left = min(v.x - v.width / 2 for v in place)
    for vertex in place:
        vertex.x -= left
    ranks = Ranks(pieces, max(v.x + v.width / 2 for v in place))
    _stack(rows, pieces, ranks)
    return ranks


def _rank(vertices: Sequence[Vertex], links: Sequence[Link]) -> None:
    users: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in vertices}
    for link in links:
        users[link.start].append(link.end)
    for vertex in vertices:
        for user in users[vertex]:
            user.rank = max(user.rank, vertex.rank + 1)
    for vertex in reversed(vertices):
        if not vertex.flows and users[vertex]:
            vertex.rank = min(user.rank for user in users[vertex]) - 1
    last = max(vertex.rank for vertex in vertices if vertex.edge <= 0)
    for vertex in vertices:
        if vertex.edge > 0:
            vertex.rank = last + 1


def _pieces(links: Sequence[Link]) -> tuple[list[Vertex], list[Link]]:
    """The places where arrows pass, and the arrows from rank to rank."""
    ways: dict[tuple[Vertex, object], list[Vertex]] = {}
    pieces = []
    for link in sorted(links, key=lambda link: link.end.rank):
        way = ways.setdefault((link.start, link.value), [link.start])
        while way[-1].rank < link.end.rank - 1:
            rank = way[-1].rank + 1
            place = Vertex(PASSING, flows=link.start.flows, passes=True, rank=rank)
            tail = link.tail if way[-1] is link.start else 0.0
            pieces.append(Link(way[-1], place, link.value, tail))
            way.append(place)
        before = way[link.end.rank - 1 - link.start.rank]
        tail = link.tail if before is link.start else 0.0
        pieces.append(Link(before, link.end, link.value, tail, link.head, link.fixed))
    return [place for way in ways.values() for place in way[1:]], pieces


def _ordered(vertices: Sequence[Vertex], pieces: Sequence[Link]) -> list[list[Vertex]]:
    """The vertices rank by rank, each rank in an order in which few arrows cross."""
    rows: list[list[Vertex]] = [[] for _ in range(max(v.rank for v in vertices) + 1)]
    for vertex in sorted(vertices, key=lambda v: (not v.passes, not v.flows)):
        rows[vertex.rank].append(vertex)
    above, below = _by_rank(pieces, len(rows))
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        ways = above if down else below
        order = range(1, len(rows)) if down else range(len(rows) - 2, -1, -1)
        for rank in order:
            _sort(rows[rank], rows[rank - 1 if down else rank + 1], ways[rank], down)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _by_rank(pieces: Sequence[Link], count: int) -> tuple[list[list[Link]], list[list[Link]]]:
    """The arrows that end in each rank, and those that begin there."""
    above: list[list[Link]] = [[] for _ in range(count)]
    below: list[list[Link]] = [[] for _ in range(count)]
    for piece in pieces:
        above[piece.end.rank].append(piece)
        below[piece.start.rank].append(piece)
    return above, below


def _sort(row: list[Vertex], other: Sequence[Vertex], ways: Sequence[Link], down: bool) -> None:
    """Sorts a rank by the barycentres; what is joined to nothing keeps its place."""
    place = {vertex: float(index) for index, vertex in enumerate(other)}
    joined: dict[Vertex, list[float]] = {}
    for piece in ways:
        near, far = (piece.end, piece.start) if down else (piece.start, piece.end)
        port = (piece.tail if down else piece.head) / max(far.width, 1e-9)
        joined.setdefault(near, []).append(place[far] + port)
    kept = {vertex: float(index) for index, vertex in enumerate(row)}
    row.sort(key=lambda v: sum(joined[v]) / len(joined[v]) if v in joined else kept[v])


def _crossings(rows: Sequence[Sequence[Vertex]], below: Sequence[Sequence[Link]]) -> int:
    place = {vertex: index for row in rows for index, vertex in enumerate(row)}
    return sum(
        (place[one.start] - place[other.start]) * (place[one.end] - place[other.end]) < 0
        for ways in below
        for one, other in combinations(ways, 2)
    )


def _share_edges(
    vertices: Sequence[Vertex], pieces: Sequence[Link], place: dict[Vertex, int]
) -> None:
    """Where arrows meet the upper edge of a box: the samples in the middle, others beside them."""
    into: dict[Vertex, list[Link]] = {vertex: [] for vertex in vertices}
    for piece in pieces:
        if not piece.fixed and not piece.end.passes:
            into[piece.end].append(piece)
    for vertex, arrows in into.items():
        arrows.sort(key=lambda piece: place[piece.start])
        if not arrows:
            continue
        middle = min(arrows, key=lambda piece: (not piece.start.flows, piece.start.passes))
        index = arrows.index(middle)
        for side, beside in ((-1, arrows[:index][::-1]), (1, arrows[index + 1 :])):
            for number, piece in enumerate(beside, start=1):
                piece.head = side * 0.42 * vertex.width * number / len(beside)


def _settle(rows: Sequence[list[Vertex]], pieces: Sequence[Link]) -> None:
    """Where the vertices of each rank lie from left to right."""
    for row in rows:
        _spread(row, dict.fromkeys(row, 0.0), dict.fromkeys(row, 1.0))
    above, below = _by_rank(pieces, len(rows))
    for _ in range(SWEEPS):
        for rank in range(1, len(rows)):
            _pull(rows[rank], above[rank], down=True)
        for rank in range(len(rows) - 2, -1, -1):
            _pull(rows[rank], below[rank], down=False)
    for rank in range(1, len(rows)):
        _pull(rows[rank], above[rank], down=True)
    for rank in range(len(rows) - 2, -1, -1):  # what does not flow follows what it joins
        _pull(rows[rank], below[rank], down=False, stays=True)


def _pull(row: list[Vertex], ways: Sequence[Link], *, down: bool, stays: bool = False) -> None:
    """Pulls a rank to where its arrows into the next one are straight; stays: not what flows."""
    total: dict[Vertex, float] = dict.fromkeys(row, 0.0)
    weight: dict[Vertex, float] = dict.fromkeys(row, 0.0)
    for piece in ways:
        pull = PULL[piece.start.passes + piece.end.passes]
        pull *= 1.0 if piece.start.flows else 1e-6
        if down:
            vertex, wanted = piece.end, piece.start.x + piece.tail - piece.head
        else:
            vertex, wanted = piece.start, piece.end.x + piece.head - piece.tail
        total[vertex] += pull * wanted
        weight[vertex] += pull
    for vertex in row:
        stiff = 1e4 if stays and vertex.flows else 0.0 if weight[vertex] else 1e-9
        total[vertex] += stiff * vertex.x
        weight[vertex] += stiff
    _spread(row, {v: total[v] / weight[v] for v in row}, weight)


def _spread(row: list[Vertex], wanted: dict[Vertex, float], weight: dict[Vertex, float]) -> None:
    """Places a rank in its order, none over another, as near as can be to where it is wanted.

    Least squares under these constraints is an isotonic regression, which neighbours that would
    overlap solve by pooling.
    """
    shift, shifts = 0.0, []
    for before, vertex in pairwise([None, *row]):
        if before is not None and vertex is not None:
            gap = 0.0 if before.passes and vertex.passes else BESIDE
            shift += (before.width + vertex.width) / 2 + gap
        shifts.append(shift)
    pools: list[tuple[float, float, int]] = []  # the mean, the weight and the number of vertices
    for vertex, shift in zip(row, shifts, strict=True):
        pools.append((wanted[vertex] - shift, weight[vertex], 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (one, first, m), (other, second, n) = pools[-2:]
            both = first + second
            pools[-2:] = [((one * first + other * second) / both, both, m + n)]
    means = [mean for mean, _, count in pools for _ in range(count)]
    for vertex, mean, shift in zip(row, means, shifts, strict=True):
        vertex.x = mean + shift


def _stack(rows: Sequence[list[Vertex]], pieces: Sequence[Link], ranks: Ranks) -> None:
    """The ranks from top to bottom; what flows at the top of its rank, others at the bottom."""
    _, below = _by_rank(pieces, len(rows))
    y = 0.0
    for row, ways in zip(rows, below, strict=True):
        height = max(vertex.height for vertex in row)
        for vertex in row:
            vertex.top = y if vertex.flows else y + height - vertex.height
            vertex.bottom = vertex.top + vertex.height
        ranks.tops.append(y)
        ranks.bottoms.append(y + height)
        sideways = max((abs(w.start.x + w.tail - w.end.x - w.head) for w in ways), default=0.0)
        if sideways < 0.01 and all(way.end.edge for way in ways):
            y += height + BEFORE_EDGE
        elif sideways < 0.01 and all(vertex.edge for vertex in row):
            y += height + AFTER_EDGE
        else:
            y += height + BETWEEN + min(SIDEWAYS * sideways, MOST)
