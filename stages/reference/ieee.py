"""torch with the arithmetic of IEEE 754, for comparisons bit for bit.

torch's vector kernels contract a · b + c into one rounding, and its square root is now and then
off by one unit in the last place. Neither is wrong, but neither is what NumPy computes.

Import this before torch: torch chooses its kernels once, when it is imported.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the kernels without fused multiply-adds

import numpy as np
import torch
from torch import Tensor


def _root(tensor: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(np.sqrt(tensor.detach().numpy())))


def _root_in_place(tensor: Tensor) -> Tensor:
    return tensor.copy_(_root(tensor))


class IEEESquareRoot:
    """While it is entered, torch.sqrt, Tensor.sqrt and Tensor.sqrt_ are NumPy's, rounded correctly.

    A TorchDispatchMode would catch every way to a root, but double the time of all operations.
    """

    def __enter__(self) -> None:
        self._torch_sqrt = torch.sqrt
        # A tensor inherits its own two methods: these cover them until they are deleted.
        for owner, name, root in ROOTS:
            setattr(owner, name, root)

    def __exit__(self, *_: object) -> None:
        del Tensor.sqrt, Tensor.sqrt_
        torch.sqrt = self._torch_sqrt


ROOTS = ((torch, "sqrt", _root), (Tensor, "sqrt", _root), (Tensor, "sqrt_", _root_in_place))
