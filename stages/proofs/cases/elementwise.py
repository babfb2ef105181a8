"""See stages/graph/operations/elementwise.py."""

from stages.proofs.operands import ONE, POSITIVE, Case, cases

ELEMENTWISE: dict[str, list[Case]] = {
    "exp": cases(*ONE),
    "log": cases(*ONE, **POSITIVE),
    "sqrt": cases(*ONE, **POSITIVE),
    "tanh": cases(*ONE),
    "sigmoid": cases(*ONE),
    "relu": [*cases(*ONE), *cases(((3, 5),), whole=True)],
}
