"""See stages/graph/operations/elementwise.py."""

from collections.abc import Callable
from typing import Any

import torch

ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "absolute": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "erf": torch.erf,
    "atan2": lambda a, b: torch.atan2(*tensors(a, b)),
}


def tensors(*operands: Any) -> tuple[torch.Tensor, ...]:
    """The operands, with a number as a tensor of the dtype of those that are tensors."""
    dtype = next(operand.dtype for operand in operands if isinstance(operand, torch.Tensor))
    return tuple(torch.as_tensor(operand, dtype=dtype) for operand in operands)
