"""See stages/graph/operations/shapes.py."""

from stages.graph.operation import SAMPLES
from stages.proofs.operands import ROWS, TRANSPOSED, Case, Labels, Operand

IMAGES = (SAMPLES, 2, 3, 2)


def _with(name: str, *pairs: tuple[Operand | tuple[Operand, ...], object]) -> list[Case]:
    """A case for each operand, or operands, and the value of the attribute."""
    return [Case((operands,), {name: value}) for operands, value in pairs]  # type: ignore[arg-type]


def _joined(*cases: tuple[tuple[Operand, ...], int]) -> list[Case]:
    return [Case(operands, {"axis": axis}) for operands, axis in cases]


def _flattened(*cases: tuple[Operand, int, int]) -> list[Case]:
    return [Case((a,), {"start_axis": start, "end_axis": end}) for a, start, end in cases]


SHAPES: dict[str, list[Case]] = {
    "reshape": _with(
        "shape",
        ((), (1, 1)),
        ((6,), (2, -1)),
        ((2, 3, 2), (3, 4)),
        (ROWS, (-1, 1, 3)),
        ((SAMPLES, 4), (SAMPLES, 2, 2)),
        (IMAGES, (SAMPLES, 6, 2)),
        ((2, SAMPLES, 3), (1, 2, SAMPLES, 3)),
    ),
    "flatten": _flattened(((), 0, -1), ((2, 3, 2), 0, 1), (IMAGES, 1, -1), (IMAGES, 2, 3)),
    "broadcast_to": _with(
        "shape", ((), (2, 3)), ((3,), (2, 3)), ((2, 1), (4, 2, 3)), ((3,), (SAMPLES, 3))
    ),
    "expand_dims": _with("axis", ((), 0), ((2, 3), 1), ((2, 3), (0, -1)), (ROWS, -1)),
    "squeeze": _with("axis", ((1,), 0), ((2, 1, 3), -2), ((SAMPLES, 1, 3, 1), (1, 3))),
    "permute": _with(
        "axes", ((3,), (0,)), ((2, 3, 2), (2, 0, 1)), (ROWS, (1, 0)), (IMAGES, (0, 3, -3, 2))
    ),
    "slice": _with(
        "ranges",
        ((5,), ((1, 3, 1),)),
        ((5, 3), ((0, 5, 2), None)),
        ((2, 3, 4), ((1, 2, 1), (0, 2, 1), (1, 4, 2))),
        (ROWS, (None, (1, 3, 1))),
        (IMAGES, (None, (0, 1, 1), (0, 3, 2), None)),
    ),
    "concatenate": _joined(
        (((3,), (2,)), 0),
        (((2, 3), (2, 1), (2, 2)), 1),
        (((2, 3, 2), (2, 3, 2)), -1),
        (((3, 3), TRANSPOSED, (1, 3)), 0),
        ((ROWS, ROWS), 1),
        ((IMAGES, IMAGES), 1),
    ),
    "pad": [
        Case((shape,), {"pad_width": pad_width, "constant_values": value})
        for shape, pad_width, value in (
            ((3,), ((2, 1),), 0.0),
            ((2, 3), ((0, 1), (0, 0)), 1.5),
            (ROWS, ((0, 0), (1, 2)), 0.0),
            (IMAGES, ((0, 0), (0, 0), (1, 1), (2, 0)), -1.0),
        )
    ],
    "take": _joined(
        (((3,), Labels((), 3)), 0),
        (((4, 3), Labels((5,), 4)), 0),
        (((4, 3), Labels((2, 2), 3)), 1),
        (((2, 3, 2), Labels((4,), 3)), -2),
        (((5, 3), Labels((SAMPLES, 2), 5)), 0),
        ((ROWS, Labels((4,), 3)), 1),
    ),
    "gather": _joined(
        (((3,), Labels((5,), 3)), 0),
        (((4, 3), Labels((2, 3), 4)), 0),
        (((2, 3, 2), Labels((2, 4, 1), 3)), 1),
        ((ROWS, Labels((SAMPLES, 2), 3)), -1),
    ),
}
