"""See stages/graph/operations/comparisons.py."""

from collections.abc import Callable
from typing import Any

import torch

from stages.reference.operations.elementwise import tensors


def _compared(function: Callable[..., Any]) -> Callable[..., Any]:
    """The comparison with 1 and 0 of its operands' dtype as results."""

    def compare(a: Any, b: Any) -> Any:
        one, other = tensors(a, b)
        return function(one, other).to(one.dtype)

    return compare


def _where(condition: torch.Tensor, a: Any, b: Any) -> torch.Tensor:
    _, one, other = tensors(condition, a, b)
    return torch.where(condition != 0, one, other)


COMPARISONS: dict[str, Callable[..., Any]] = {
    "less": _compared(torch.lt),
    "less_equal": _compared(torch.le),
    "greater": _compared(torch.gt),
    "greater_equal": _compared(torch.ge),
    "equal": _compared(torch.eq),
    "not_equal": _compared(torch.ne),
    "where": _where,
    "maximum": lambda a, b: torch.maximum(*tensors(a, b)),
    "minimum": lambda a, b: torch.minimum(*tensors(a, b)),
    "clip": lambda a, low, high: torch.clamp(a, low, high),
}
