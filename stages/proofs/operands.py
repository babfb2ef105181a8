"""What every operation of the graph is given when its gradient is compared."""

from dataclasses import dataclass, field
from typing import Any

from stages.graph.operation import SAMPLES, Shape


@dataclass(frozen=True)
class Labels:
    """An operand of integers, 0 ... classes - 1."""

    shape: Shape
    classes: int


TRANSPOSED = "transposed"  # the first operand once more, seen as its transpose
Operand = Shape | float | Labels | str


@dataclass(frozen=True)
class Case:
    """What an operation is given.

    operands: for each its shape, or a number, labels, or TRANSPOSED
    attributes: those of the operation
    low, high: the range of the operands
    whole: take whole numbers, so that some are 0 and some are equal
    """

    operands: tuple[Operand, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0
    whole: bool = False


def cases(*operands: tuple[Operand, ...], **options: Any) -> list[Case]:
    """A case for each tuple of operands, all with the same options."""
    return [Case(each, **options) for each in operands]


ROWS = (SAMPLES, 3)
ONE: list[tuple[Operand, ...]] = [((),), ((3,),), ((2, 3),), ((2, 3, 2),), (ROWS,)]
TWO: list[tuple[Operand, ...]] = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((2, 3), ()),
    ((), (2, 3)),
    ((2, 3), 1.5),
    (1.5, (2, 3)),
    ((3, 3), TRANSPOSED),
    (ROWS, (3,)),
    ((3,), ROWS),
]
POSITIVE = {"low": 0.5}
