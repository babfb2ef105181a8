"""The operations of the computation graph in torch, by the names that the graph gives them.

Each takes the operands and the attributes of the operation in stages/graph, for one run.
"""

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from stages.models.mlp_torch import half_mse
from stages.reference import square_root as square_root


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    rows = logits.reshape(-1, logits.shape[-1])
    return nn.functional.cross_entropy(rows, labels.reshape(-1))


def _accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(-1) == labels).to(logits.dtype).mean()


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "maximum": lambda a, b: torch.maximum(torch.as_tensor(a), torch.as_tensor(b)),
    "negative": torch.neg,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "log_softmax": lambda a: torch.log_softmax(a, -1),
    "matmul": torch.matmul,
    "transpose": lambda a: a.mT,
    "sum": lambda a, axis, keepdims: a.sum(axis, keepdim=keepdims),
    "mean": lambda a, axis, keepdims: a.mean(axis, keepdim=keepdims),
    "half_mse": half_mse,
    "cross_entropy": _cross_entropy,
    "accuracy": _accuracy,
}
