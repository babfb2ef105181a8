"""A small convolutional network for square images. torch's is convolutional_torch.py."""

import math
from typing import Annotated

from pydantic import Field

from stages.graph import SAMPLES, Node, conv2d, flatten, max_pool2d, relu, reshape
from stages.graph.starts import fan_in
from stages.task.errors import InputError
from stages.task.values import Count


def model(
    x: Node,
    outputs: int,
    *,
    channels: Annotated[
        tuple[Count, Count], Field(description="the channels of both convolutions, a list of two")
    ] = (6, 12),
) -> Node:
    """(samples, outputs) from the pixels of images row by row, (samples, size²).

    Two convolutions, of 5x5 pixels and of 3x3 with a margin, each followed by relu and by the
    largest of every 2x2 pixels; then a linear layer.
    """
    size = math.isqrt(int(x.shape[1]))
    if size * size != x.shape[1] or size < 8:
        raise InputError(
            "stages/models/convolutional.py: must have the pixels of square images, at least 8x8, "
            f"as features; got {x.shape[1]}"
        )
    images = reshape(x, (SAMPLES, 1, size, size))
    first, second = channels
    images = max_pool2d(relu(_convolution(images, "conv1", first, 5)), 2)
    images = max_pool2d(relu(_convolution(images, "conv2", second, 3, padding=1)), 2)
    flat = flatten(images)
    inputs = int(flat.shape[1])
    weight = x.graph.parameter("linear.weight", (outputs, inputs), fan_in(inputs))
    bias = x.graph.parameter("linear.bias", (outputs,), fan_in(inputs))
    return flat @ weight.T + bias


def _convolution(images: Node, name: str, channels: int, size: int, padding: int = 0) -> Node:
    inputs = int(images.shape[1])
    start = fan_in(inputs * size * size)
    weight = images.graph.parameter(f"{name}.weight", (channels, inputs, size, size), start)
    bias = images.graph.parameter(f"{name}.bias", (channels,), start)
    return conv2d(images, weight, bias, padding=padding)
