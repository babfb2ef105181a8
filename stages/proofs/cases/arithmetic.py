"""See stages/graph/operations/arithmetic.py."""

from stages.proofs.operands import ONE, POSITIVE, TWO, Case, cases

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
    "negative": cases(*ONE),
}
