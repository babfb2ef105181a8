"""See stages/graph/operations/arithmetic.py."""

from stages.proofs.operands import ONE, POSITIVE, ROWS, TRANSPOSED, Case, Operand, cases

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

ARITHMETIC: dict[str, list[Case]] = {
    "add": cases(*TWO),
    "subtract": cases(*TWO),
    "multiply": cases(*TWO),
    "divide": cases(*TWO, **POSITIVE),
    "power": [
        *cases(*TWO, **POSITIVE),
        *cases(*(((2, 3), exponent) for exponent in (0.0, 1.0, 2.0, 3.0))),
        *cases(*(((2, 3), exponent) for exponent in (-1.0, -0.5, 0.5)), **POSITIVE),
    ],
    "maximum": [*cases(*TWO), *cases(((5, 1), (5,)), ((5,), 0.0), whole=True)],
    "negative": cases(*ONE),
}
