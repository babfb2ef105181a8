"""See stages/graph/operations/arithmetic.py."""

import operator
from collections.abc import Callable
from typing import Any

import torch

ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "negative": torch.neg,
}
