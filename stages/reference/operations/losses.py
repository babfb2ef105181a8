"""See stages/graph/operations/losses.py."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from stages.models.mlp_torch import half_mse


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    rows = logits.reshape(-1, logits.shape[-1])
    return nn.functional.cross_entropy(rows, labels.reshape(-1))


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    right = logits.argmax(-1) == labels
    if right.ndim > 1:
        right = right.flatten(1).all(1)
    return right.to(logits.dtype).mean()


LOSSES: dict[str, Callable[..., Any]] = {
    "half_mse": half_mse,
    "cross_entropy": _cross_entropy,
    "accuracy": _accuracy,
}
