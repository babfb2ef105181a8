"""See stages/graph/operations/matrices.py."""

from collections.abc import Callable
from typing import Any

import torch

MATRICES: dict[str, Callable[..., Any]] = {
    "matmul": torch.matmul,
    "transpose": lambda a: a.mT,
}
