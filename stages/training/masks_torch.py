"""Dropout in torch with the masks of both twins."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from stages.training.masks import mask


def share_masks(module: nn.Module, seed: int, step: Callable[[], int]) -> None:
    """Has each nn.Dropout of the module take its masks from the seed, in place of torch's own.

    step: the number of steps taken before
    """

    def forward(name: str, layer: nn.Dropout, x: Tensor) -> Tensor:
        if not layer.training:
            return x
        dtype = np.dtype(str(x.dtype).removeprefix("torch."))
        drawn = mask(seed, step(), name, tuple(x.shape), layer.p, dtype)
        return x * torch.from_numpy(drawn).to(x.device)

    for name, layer in module.named_modules():
        if isinstance(layer, nn.Dropout):
            layer.forward = partial(forward, name, layer)  # type: ignore[method-assign]
