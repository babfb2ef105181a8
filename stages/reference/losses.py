"""The losses in torch, by the names and with the options of stages/graph/operations/losses.py."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from stages.reference.operations.losses import half_mse

Numbers = Sequence[float] | None
NONE_IGNORED = -100  # torch's own, which is no class


def _tensor(numbers: Numbers, like: Tensor) -> Tensor | None:
    return None if numbers is None else torch.as_tensor(numbers, dtype=like.dtype)


def _second(values: Tensor) -> Tensor:
    """The classes, our last axis, where torch has them."""
    return values.movedim(-1, 1) if values.ndim > 2 else values


def nll_loss(
    log_probabilities: Tensor,
    labels: Tensor,
    weight: Numbers = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """See stages/graph/operations/losses_of_classes.py."""
    return functional.nll_loss(
        _second(log_probabilities),
        labels,
        _tensor(weight, log_probabilities),
        ignore_index=NONE_IGNORED if ignore_index is None else ignore_index,
        reduction=reduction,
    )


def cross_entropy(
    logits: Tensor,
    labels: Tensor,
    weight: Numbers = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """See stages/graph/operations/losses.py."""
    return functional.cross_entropy(
        _second(logits),
        _second(labels) if labels.is_floating_point() else labels,
        _tensor(weight, logits),
        ignore_index=NONE_IGNORED if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def binary_cross_entropy_with_logits(
    logits: Tensor,
    target: Tensor,
    weight: Numbers = None,
    reduction: str = "mean",
    pos_weight: Numbers = None,
) -> Tensor:
    """See stages/graph/operations/losses_of_classes.py."""
    return functional.binary_cross_entropy_with_logits(
        logits,
        target,
        _tensor(weight, logits),
        reduction=reduction,
        pos_weight=_tensor(pos_weight, logits),
    )


def kl_div(
    log_probabilities: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """See stages/graph/operations/losses_of_classes.py; torch warns of its own mean."""
    if reduction == "mean":
        return kl_div(log_probabilities, target, "none", log_target).mean()
    return functional.kl_div(log_probabilities, target, reduction=reduction, log_target=log_target)


LOSSES: dict[str, Callable[..., Any]] = {
    "half_mse": half_mse,
    "mse_loss": functional.mse_loss,
    "l1_loss": functional.l1_loss,
    "huber_loss": functional.huber_loss,
    "smooth_l1_loss": functional.smooth_l1_loss,
    "cross_entropy": cross_entropy,
    "nll_loss": nll_loss,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "kl_div": kl_div,
}
