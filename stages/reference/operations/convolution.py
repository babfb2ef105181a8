"""See stages/graph/operations/convolution.py."""

from collections.abc import Callable
from typing import Any

from torch.nn import functional

CONVOLUTION: dict[str, Callable[..., Any]] = {
    "conv1d": functional.conv1d,
    "conv2d": functional.conv2d,
}
