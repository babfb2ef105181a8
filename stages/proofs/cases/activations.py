"""See stages/graph/operations/activations.py."""

from typing import Any

from stages.proofs.operands import ONE, ROWS, Case, cases

WHOLE = cases(((3, 5),), whole=True)


def _with_options(usual: dict[str, Any], other: dict[str, Any]) -> list[Case]:
    return [
        *cases(*ONE, attributes=usual),
        *cases(((3, 5),), attributes=usual, whole=True),
        *cases((ROWS,), attributes=other),
    ]


ACTIVATIONS: dict[str, list[Case]] = {
    "tanh": cases(*ONE),
    "sigmoid": cases(*ONE),
    "log_sigmoid": [*cases(*ONE), *WHOLE],
    "relu": [*cases(*ONE), *WHOLE],
    "leaky_relu": _with_options({"negative_slope": 0.1}, {"negative_slope": -0.3}),
    "elu": _with_options({"alpha": 1.0}, {"alpha": 1.7}),
    "hardtanh": _with_options({"low": -1.0, "high": 1.0}, {"low": -0.7, "high": 1.1}),
    "softplus": _with_options({"beta": 1.0, "threshold": 20.0}, {"beta": 1.5, "threshold": 0.5}),
    "silu": cases(*ONE),
    "gelu": cases(*ONE),
    "gelu_tanh": cases(*ONE),
}
