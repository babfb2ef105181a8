"""See stages/graph/operations/reductions.py."""

from collections.abc import Callable
from typing import Any

import torch

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": lambda a, axis, keepdims: a.sum(axis, keepdim=keepdims),
    "mean": lambda a, axis, keepdims: a.mean(axis, keepdim=keepdims),
    "log_softmax": lambda a: torch.log_softmax(a, -1),
}
