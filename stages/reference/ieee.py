"""torch with the arithmetic of IEEE 754, for comparisons bit for bit.

torch's vector kernels contract a · b + c into one rounding, and its square root is now and then
off by one unit in the last place. Neither is wrong, but neither is what NumPy computes.

Import this before torch: torch chooses its kernels once, when it is imported.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the kernels without fused multiply-adds

from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

ROOT, ROOT_IN_PLACE = torch.ops.aten.sqrt.default, torch.ops.aten.sqrt_.default


class IEEESquareRoot(TorchDispatchMode):
    """While it is entered, torch.sqrt is NumPy's, which is rounded correctly."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Evaluates one operation of torch."""
        if function is not ROOT and function is not ROOT_IN_PLACE:
            return function(*args, **(kwargs or {}))
        root = torch.from_numpy(np.asarray(np.sqrt(args[0].numpy())))
        return root if function is ROOT else args[0].copy_(root)
