"""torch's autograd with leaf kernels in NumPy, which compute as the graph of this project does.

torch builds its own graph of them, keeps their operands and applies the chain rule; a kernel only
has the numbers. Order of operations and layout in memory, samples contiguous, are those of the
graph in NumPy, which says what it takes for few features and for many samples. So whole trainings
can be equal bit for bit, where torch's own kernels add up the same products in another order.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Array = NDArray[Any]
Kernel = Callable[..., Tensor]


def kernel(value: Callable[..., Array], *derivatives: Callable[..., Array] | None) -> Kernel:
    """A function of tensors that NumPy computes and torch differentiates.

    value: the result from the operands
    derivatives: for each operand its gradient, from (gradient of the result, result, *operands);
        None for labels
    """

    class Leaf(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *operands: Tensor) -> Tensor:
            result = torch.from_numpy(np.asarray(value(*map(_array, operands))))
            ctx.save_for_backward(result, *operands)
            return result

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
            arrays = [_array(tensor) for tensor in (gradient, *ctx.saved_tensors)]
            return tuple(
                torch.from_numpy(derivative(*arrays)) if derivative and needed else None
                for derivative, needed in zip(derivatives, ctx.needs_input_grad, strict=True)
            )

    return Leaf.apply


def _array(tensor: Tensor) -> Array:
    return tensor.detach().numpy()


def _product(left: Array, right: Array) -> Array:
    """The product of two matrices with its columns contiguous: BLAS computes the transpose."""
    result: Array = np.empty((right.shape[1], left.shape[0]), left.dtype).T
    if result.flags.c_contiguous:  # a single row or column is contiguous either way
        np.dot(left, right, result)
    else:
        np.dot(right.T, left.T, result.T)
    return result


def _sum(rows: Array, many: int) -> Array:
    """The sum of the rows, as the graph adds up samples: by BLAS where they are many."""
    if len(rows) >= many:
        total: Array = _product(np.ones((1, len(rows)), rows.dtype), rows)[0]
    else:
        total = rows.sum(axis=0) if len(rows) > 1 else rows[0]  # to sum makes -0 a +0
    return total


def _difference(prediction: Array, target: Array) -> Array:
    difference: Array = np.subtract(prediction, target, np.empty_like(prediction))
    return difference


def _log_softmax(logits: Array) -> Array:
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def _one_hot(logits: Array, labels: Array) -> Array:
    hot: Array = np.arange(logits.shape[1])[:, None] == labels
    return hot.T


@cache
def linear(many: int) -> Kernel:
    """X · weightᵀ + bias."""
    return kernel(
        lambda x, weight, bias: _product(x, weight.T) + bias,
        lambda g, y, x, weight, bias: _product(g, weight),
        lambda g, y, x, weight, bias: _product(x.T, g).T,
        lambda g, y, x, weight, bias: _sum(g, many),
    )


relu = kernel(lambda a: np.maximum(a, 0), lambda g, y, a: g * (y != 0))
tanh = kernel(np.tanh, lambda g, y, a: g * (1 - y * y))
sigmoid = kernel(lambda a: 1 / (1 + np.exp(-a)), lambda g, y, a: g * ((1 - y) * y))
half_mse = kernel(
    lambda p, t: (_difference(p, t) * _difference(p, t)).sum() * (0.5 / p.size),
    lambda g, y, p, t: _difference(p, t) * (g * (1 / p.size)),
    lambda g, y, p, t: _difference(p, t) * (g * (-1 / p.size)),
)
cross_entropy = kernel(
    lambda z, k: (_one_hot(z, k) * _log_softmax(z)).sum() * (-1 / len(k)),
    lambda g, y, z, k: (np.exp(_log_softmax(z)) - _one_hot(z, k)) * (g / len(k)),
    None,
)

ACTIVATIONS: dict[type[nn.Module], Kernel] = {nn.ReLU: relu, nn.Tanh: tanh, nn.Sigmoid: sigmoid}
LOSSES = {"half_mse": half_mse, "cross_entropy": cross_entropy}


def has_all_of(model: nn.Module) -> bool:
    """Whether `forward` can compute the model: layers one after the other, of these kinds."""
    kinds = (nn.Linear, *ACTIVATIONS)
    return isinstance(model, nn.Sequential) and all(type(layer) in kinds for layer in model)


def forward(model: nn.Module, x: Tensor, few: int, many: int) -> Tensor:
    """What `model(x)` is, for a model of which `has_all_of` is true, by the kernels above.

    few: up to so many features lie in the graph with their samples contiguous
    many: from so many samples on it has BLAS add them up
    """
    if x.shape[1] <= few:
        x = x.T.contiguous().T  # with its samples contiguous, as they lie in the graph
    for layer in model.children():
        if isinstance(layer, nn.Linear):
            x = linear(many)(x, layer.weight, layer.bias)
        else:
            x = ACTIVATIONS[type(layer)](x)
    return x
