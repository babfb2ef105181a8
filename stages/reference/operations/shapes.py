"""See stages/graph/operations/shapes.py."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _expanded(a: Tensor, axis: int | tuple[int, ...]) -> Tensor:
    axes = (axis,) if isinstance(axis, int) else axis
    for one in sorted(one % (a.ndim + len(axes)) for one in axes):
        a = a.unsqueeze(one)
    return a


def _sliced(a: Tensor, ranges: tuple[tuple[int, int, int] | None, ...]) -> Tensor:
    return a[tuple(slice(None) if one is None else slice(*one) for one in ranges)]


def _padded(a: Tensor, pad_width: tuple[tuple[int, int], ...], constant_values: float) -> Tensor:
    backwards = [width for pair in reversed(pad_width) for width in pair]
    return torch.nn.functional.pad(a, backwards, value=constant_values)


def _taken(a: Tensor, indices: Tensor, axis: int) -> Tensor:
    taken = a.index_select(axis, indices.reshape(-1))
    return taken.unflatten(axis, indices.shape) if indices.ndim else taken.squeeze(axis)


SHAPES: dict[str, Callable[..., Any]] = {
    "reshape": torch.reshape,
    "flatten": lambda a, start_axis, end_axis: a.flatten(start_axis, end_axis),
    "broadcast_to": lambda a, shape: a.broadcast_to(shape),
    "expand_dims": _expanded,
    "squeeze": torch.squeeze,
    "permute": lambda a, axes: a.permute(axes),
    "slice": _sliced,
    "concatenate": lambda *operands, axis: torch.cat(operands, axis),
    "pad": _padded,
    "take": _taken,
    "gather": lambda a, indices, axis: a.gather(axis, indices),
}
