"""See stages/graph/operations/reductions.py."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _axes(a: Tensor, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    given = range(a.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return tuple(one % a.ndim for one in given)


def _product(a: Tensor, axis: int | tuple[int, ...] | None, keepdims: bool) -> Tensor:
    """The product over axes, of which torch takes one at a time."""
    for one in sorted(_axes(a, axis), reverse=True):
        a = a.prod(one, keepdim=keepdims)
    return a


# max and min are amax and amin, which share the gradient evenly among equals. torch.max along an
# axis gives all of it to the element whose index it returns.
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": lambda a, axis, keepdims: a.sum(axis, keepdim=keepdims),
    "mean": lambda a, axis, keepdims: a.mean(axis, keepdim=keepdims),
    "max": lambda a, axis, keepdims: a.amax(_axes(a, axis), keepdim=keepdims),
    "min": lambda a, axis, keepdims: a.amin(_axes(a, axis), keepdim=keepdims),
    "prod": _product,
    "var": lambda a, axis, keepdims, correction: a.var(
        axis, correction=correction, keepdim=keepdims
    ),
    "norm": lambda a, axis, keepdims: torch.linalg.vector_norm(a, dim=axis, keepdim=keepdims),
    "cumsum": lambda a, axis: torch.cumsum(a, axis),
    "logsumexp": lambda a, axis, keepdims: torch.logsumexp(a, _axes(a, axis), keepdims),
    "softmax": lambda a, axis: torch.softmax(a, axis),
    "log_softmax": lambda a, axis: torch.log_softmax(a, axis),
}
