"""See stages/graph/operations/normalization.py."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def _layer_norm(x: Tensor, normalized_shape: Sequence[int], eps: float) -> Tensor:
    return functional.layer_norm(x, normalized_shape, eps=eps)


def _rms_norm(x: Tensor, normalized_shape: Sequence[int], eps: float) -> Tensor:
    return functional.rms_norm(x, list(normalized_shape), eps=eps)


def _batch_norm(x: Tensor, weight: Any, bias: Any, eps: float) -> Tensor:
    weight, bias = (
        torch.as_tensor(each, dtype=x.dtype).expand(x.shape[1]) for each in (weight, bias)
    )
    return functional.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


NORMALIZATION: dict[str, Callable[..., Any]] = {
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "batch_norm": _batch_norm,
}
