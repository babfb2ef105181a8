"""See stages/graph/operations/elementwise.py."""

from stages.proofs.operands import ONE, POSITIVE, TWO, Case, cases

WHOLE = cases(((3, 5),), whole=True)

ELEMENTWISE: dict[str, list[Case]] = {
    "absolute": [*cases(*ONE), *WHOLE],
    "sign": [*cases(*ONE), *WHOLE],
    "floor": [*cases(*ONE), *WHOLE],
    "exp": cases(*ONE),
    "expm1": cases(*ONE),
    "log": cases(*ONE, **POSITIVE),
    "log1p": cases(*ONE, low=-0.5),
    "sqrt": cases(*ONE, **POSITIVE),
    "sin": cases(*ONE),
    "cos": cases(*ONE, low=-1.5, high=-0.5),
    "erf": cases(*ONE),
    "atan2": [*cases(*TWO, **POSITIVE), *cases(((5, 1), (5,)), ((5,), 0.0), whole=True)],
}
