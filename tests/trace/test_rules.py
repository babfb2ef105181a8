"""The rules as they are in the code, in the names of the nodes."""

import pytest

from stages.graph.operation import OPERATIONS
from stages.trace.rules import rule

RULES = [
    ("add", 0, "∂y"),
    ("multiply", 0, "∂y * b"),
    ("multiply", 1, "∂y * a"),
    ("subtract", 1, "-∂y"),
    ("divide", 1, "-∂y * (y / b)"),
    ("matmul", 0, "∂y @ b.T"),
    ("matmul", 1, "a.T @ ∂y"),
    ("half_mse", 0, "(a - b) * (∂y * (1 / size(a)))"),
]


@pytest.mark.parametrize(("operation", "operand", "text"), RULES)
def test_a_rule_is_what_the_code_says(operation: str, operand: int, text: str) -> None:
    derivative = OPERATIONS[operation].derivatives[operand]
    assert derivative is not None
    assert rule(derivative, ["∂y", "y", "a", "b"], {}) == text


def test_every_derivative_has_a_rule() -> None:
    for operation in OPERATIONS.values():
        for derivative in operation.derivatives_of(3):
            if derivative is not None:
                told = rule(derivative, ["∂y", "y", "a", "b", "c"], {})
                assert told
                assert "lambda" not in told


def test_options_are_in_it_with_their_values() -> None:
    def named(g: object, y: object, axis: int) -> None: ...

    assert rule(named, ["∂y", "y"], {"axis": 1}) == "named(∂y, y)"
    assert rule(lambda g, y, axis: g[axis], ["∂y", "y"], {"axis": 1}) == "∂y[1]"
