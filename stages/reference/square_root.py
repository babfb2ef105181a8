"""torch's square root as IEEE 754 has it, so that it is the same on every processor.

torch takes it from MKL, which improves the processor's estimate of 1 / √x. Makers differ in that
estimate, and so does the result: about one in a hundred is off by a unit in the last place, and not
the same ones everywhere. To import this replaces it for the whole process, unless the kernels are
to be the processor's own: see stages/__init__.py.
"""

import os
import warnings
from functools import cache

import numpy as np
import torch
from torch import Tensor


def _sqrt(tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        tensor = tensor.to(torch.get_default_dtype())
    if tensor.dtype not in (torch.float32, torch.float64):  # NumPy has no bfloat16
        return _sqrt(tensor.float()).to(tensor.dtype)
    with np.errstate(invalid="ignore"):  # NaN of what is below 0, without a word as in torch
        return torch.from_numpy(np.asarray(np.sqrt(tensor.detach().numpy())))


def _sqrt_in_place(tensor: Tensor) -> Tensor:
    return tensor.copy_(_sqrt(tensor))


def _sqrt_out(tensor: Tensor, *, out: Tensor) -> Tensor:
    root = _sqrt(tensor)
    return out.resize_(root.shape).copy_(root)


@cache
def round_square_roots() -> torch.library.Library:
    """From now on torch.sqrt is rounded correctly on the CPU, where autograd records it too.

    It is for as long as the library lives that is returned: here, as long as the process.
    """
    library = torch.library.Library("aten", "IMPL")
    kernels = {"sqrt": _sqrt, "sqrt_": _sqrt_in_place, "sqrt.out": _sqrt_out}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Warning only once for all operators")
        for name, kernel in kernels.items():
            library.impl(name, kernel, "CPU")
    return library


if os.environ.get("KERNELS") == "pinned":
    round_square_roots()
