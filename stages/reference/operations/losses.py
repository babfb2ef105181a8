"""See stages/graph/operations/losses.py."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def half_mse(prediction: Tensor, target: Tensor) -> Tensor:
    """½ mean((prediction - target)²)."""
    return (0.5 * (prediction - target) ** 2).mean()


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    rows = logits.reshape(-1, logits.shape[-1])
    return nn.functional.cross_entropy(rows, labels.reshape(-1))


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    right = logits.argmax(-1) == labels
    if right.ndim > 1:
        right = right.flatten(1).all(1)
    return right.to(logits.dtype).mean()


def _of_the_label(values: Tensor, labels: Tensor) -> Tensor:
    belongs = labels[..., None] == torch.arange(values.shape[-1])
    return torch.where(belongs, values, 0).sum(-1)


LOSSES: dict[str, Callable[..., Any]] = {
    "half_mse": half_mse,
    "cross_entropy": _cross_entropy,
    "of_the_label": _of_the_label,
    "huber": lambda a, delta: nn.functional.huber_loss(
        a, torch.zeros_like(a), reduction="none", delta=delta
    ),
    "accuracy": _accuracy,
}
