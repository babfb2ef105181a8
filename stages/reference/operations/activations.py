"""See stages/graph/operations/activations.py."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "log_sigmoid": functional.logsigmoid,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "hardtanh": lambda a, low, high: functional.hardtanh(a, low, high),
    "softplus": functional.softplus,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda a: functional.gelu(a, approximate="tanh"),
}
