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


def _cases(*operands: tuple[Operand, ...], **options: Any) -> list[Case]:
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
REDUCED = [
    Case((shape,), {"axis": axis, "keepdims": keepdims})
    for shape, axis in (
        ((), None),
        ((2, 3, 2), None),
        ((2, 3, 2), 1),
        ((2, 3, 2), -1),
        ((2, 3, 2), (0, 2)),
        (ROWS, None),
        (ROWS, 0),
        (ROWS, 1),
    )
    for keepdims in (False, True)
]
POSITIVE = {"low": 0.5}

CASES: dict[str, list[Case]] = {
    "add": _cases(*TWO),
    "subtract": _cases(*TWO),
    "multiply": _cases(*TWO),
    "divide": _cases(*TWO, **POSITIVE),
    "power": [
        *_cases(*TWO, **POSITIVE),
        *_cases(*(((2, 3), exponent) for exponent in (0.0, 1.0, 2.0, 3.0))),
        *_cases(*(((2, 3), exponent) for exponent in (-1.0, -0.5, 0.5)), **POSITIVE),
    ],
    "maximum": [*_cases(*TWO), *_cases(((5, 1), (5,)), ((5,), 0.0), whole=True)],
    "negative": _cases(*ONE),
    "exp": _cases(*ONE),
    "log": _cases(*ONE, **POSITIVE),
    "sqrt": _cases(*ONE, **POSITIVE),
    "tanh": _cases(*ONE),
    "sigmoid": _cases(*ONE),
    "relu": [*_cases(*ONE), *_cases(((3, 5),), whole=True)],
    "log_softmax": _cases(*ONE[1:]),
    "matmul": _cases(
        ((2, 3), (3, 2)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
        ((1, 2, 3), (2, 3, 1)),
        ((2, 1, 1, 3), (2, 3, 1)),
        ((2, 3), TRANSPOSED),
        (ROWS, (3, 2)),
        ((2, SAMPLES), ROWS),
    ),
    "transpose": _cases(*ONE[2:]),
    "sum": REDUCED,
    "mean": REDUCED,
    "half_mse": _cases(
        ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), TRANSPOSED), (ROWS, ROWS)
    ),
    "cross_entropy": _cases(
        ((3,), Labels((), 3)),
        ((4, 3), Labels((4,), 3)),
        ((2, 3, 2), Labels((2, 3), 2)),
        ((4, 1), Labels((4,), 1)),
        (ROWS, Labels((SAMPLES,), 3)),
    ),
    "accuracy": _cases(((3,), Labels((), 3)), ((4, 3), Labels((4,), 3))),
}
