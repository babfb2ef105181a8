"""The small convolutional network as a torch user writes it."""

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu


class Convolutional(nn.Module):
    """Two convolutions, each with pooling behind it, and a linear layer, for square images."""

    def __init__(self, size: int, outputs: int, channels: Sequence[int]) -> None:
        super().__init__()
        first, second = channels
        self.size = size
        self.conv1 = nn.Conv2d(1, first, 5)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.linear = nn.Linear(second * ((size - 4) // 4) ** 2, outputs)

    def forward(self, x: Tensor) -> Tensor:
        images = x.reshape(-1, 1, self.size, self.size)
        images = max_pool2d(relu(self.conv1(images)), 2)
        images = max_pool2d(relu(self.conv2(images)), 2)
        outputs: Tensor = self.linear(images.flatten(1))
        return outputs


def model(features: int, outputs: int, *, channels: Sequence[int]) -> Convolutional:
    """The network for images of `features` pixels."""
    return Convolutional(math.isqrt(features), outputs, channels)
