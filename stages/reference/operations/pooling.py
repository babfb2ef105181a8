"""See stages/graph/operations/pooling.py."""

from collections.abc import Callable
from typing import Any

from torch.nn import functional

POOLING: dict[str, Callable[..., Any]] = {
    "max_pool1d": functional.max_pool1d,
    "max_pool2d": functional.max_pool2d,
    "avg_pool1d": functional.avg_pool1d,
    "avg_pool2d": functional.avg_pool2d,
    "adaptive_avg_pool1d": functional.adaptive_avg_pool1d,
    "adaptive_avg_pool2d": functional.adaptive_avg_pool2d,
}
