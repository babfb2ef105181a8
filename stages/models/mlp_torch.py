"""The multilayer perceptron of a task as a torch user writes it."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def network(sizes: Sequence[int], activation: str, dtype: str = "float64") -> nn.Sequential:
    """Linear layers of `sizes`, (features, hidden..., outputs), with the activation between."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        if layers:
            layers.append(ACTIVATIONS[activation]())
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers).to(getattr(torch, dtype))


def half_mse(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """½ mean((prediction - target)²)."""
    return (0.5 * (prediction - target) ** 2).mean()


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "half_mse": half_mse,
    "cross_entropy": nn.functional.cross_entropy,
}
