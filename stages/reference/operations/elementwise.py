"""See stages/graph/operations/elementwise.py."""

from collections.abc import Callable
from typing import Any

import torch

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
}
