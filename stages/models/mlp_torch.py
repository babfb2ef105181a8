"""The multilayer perceptron as a torch user writes it."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def model(
    features: int, outputs: int, *, hidden: Sequence[int], activation: str, **_: str
) -> nn.Sequential:
    """Linear layers with the activation between them."""
    layers: list[nn.Module] = []
    for width, next_width in pairwise([features, *hidden, outputs]):
        if layers:
            layers.append(ACTIVATIONS[activation]())
        layers.append(nn.Linear(width, next_width))
    return nn.Sequential(*layers)
