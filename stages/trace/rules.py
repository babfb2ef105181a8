"""The rule by which an operation hands its gradient on, as it is written in the code."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from types import CodeType
from typing import Any


def rule(derivative: Callable[..., Any], names: list[str], options: Mapping[str, Any]) -> str:
    """What a derivative computes.

    names: what its arguments are called, in their order
    options: the values of its other arguments
    """
    while isinstance(derivative, partial):  # of an operation with any number of operands
        names = [*map(str, derivative.args), *names]
        derivative = derivative.func
    body = _body(derivative)
    arguments = list(inspect.signature(derivative).parameters)
    if body is None:
        return f"{derivative.__name__.strip('_')}({', '.join(names)})"
    known = dict(zip(arguments, names, strict=False))
    known |= {name: repr(value) for name, value in options.items() if name in arguments}
    told = ast.unparse(_renamed(_inlined(body, derivative.__globals__), known))
    return re.sub(r"\b_(?=[a-z])", "", told)  # of private functions


def _inlined(body: ast.expr, functions: Mapping[str, Any]) -> ast.expr:
    """A call of a private function as what that returns, if this can be said in one expression.

    A function that treats some shapes by themselves returns the general case last.
    """
    if not isinstance(body, ast.Call) or not isinstance(body.func, ast.Name):
        return body
    function = functions.get(body.func.id)
    if not inspect.isfunction(function) or not body.func.id.startswith("_"):
        return body
    (definition,) = ast.parse(inspect.getsource(function)).body
    assert isinstance(definition, ast.FunctionDef)
    last, arguments = definition.body[-1], [each.arg for each in definition.args.args]
    if not isinstance(last, ast.Return) or last.value is None:
        return body
    read = {node.id for node in ast.walk(last.value) if isinstance(node, ast.Name)}
    if not read <= {*arguments, *functions}:
        return body
    given = {name: ast.unparse(value) for name, value in zip(arguments, body.args, strict=False)}
    return _renamed(last.value, given)


def _renamed(body: ast.expr, names: Mapping[str, str]) -> ast.expr:
    copy = ast.parse(ast.unparse(body), mode="eval").body
    renamed = _Renamed(names).visit(copy)
    assert isinstance(renamed, ast.expr)
    return renamed


class _Renamed(ast.NodeTransformer):
    """The same with other names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def _body(function: Callable[..., Any]) -> ast.expr | None:
    """The expression of a lambda, None for any other function."""
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None or function.__name__ != "<lambda>":
        return None
    found = [node for node in _lambdas(code.co_filename) if node.lineno == code.co_firstlineno]
    same = [node for node in found if len(found) == 1 or _compiles_to(node, code)]
    return same[0].body if same else None


@cache
def _lambdas(file: str) -> list[ast.Lambda]:
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


def _compiles_to(node: ast.Lambda, code: CodeType) -> bool:
    """Whether a lambda is the one with that code; two on one line may differ in the code alone."""
    whole = compile(ast.Expression(node), "", "eval")
    (own,) = (constant for constant in whole.co_consts if isinstance(constant, CodeType))
    parts = ("co_code", "co_names", "co_varnames")
    return all(getattr(own, part) == getattr(code, part) for part in parts)
