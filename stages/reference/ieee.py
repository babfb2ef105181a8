"""torch with the arithmetic of IEEE 754, for comparisons bit for bit.

torch's vector kernels contract a · b + c into one rounding, and its square root is now and then
off by one unit in the last place. Neither is wrong, but neither is what NumPy computes. To import
this changes both for the whole process.

Import this before torch: torch chooses its kernels once, when it is imported.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the kernels without fused multiply-adds

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from stages.reference.square_root import round_square_roots

# oneDNN has an order of additions of its own, which depends on the processor.
torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
round_square_roots()


@contextmanager
def numpy_reductions() -> Iterator[None]:
    """Meanwhile Tensor.dot and Tensor.sum are NumPy's: equality given the same ones.

    Not where autograd records them. IEEE 754 does not say in which order numbers are added up, and
    neither side's order can be written as an expression of the other's: torch.dot is MKL's and
    np.dot OpenBLAS's, either chosen by the processor; torch adds in 16 to 32 lanes, NumPy in 8,
    then in pairs. They agree for sure up to 1 element (dot) and 4 elements (sum).

    How far they are apart without this: each order, fused or not, errs by at most γₙ · Σ|aᵢ · bᵢ|
    with γₙ = n · u / (1 - n · u) and u = 2⁻⁵³ or 2⁻²⁴ (Higham, "Accuracy and Stability of Numerical
    Algorithms", 2nd edition, sections 3.1 and 4.2), so two orders differ by at most twice as much.
    A sum of absolute values has a relative difference of 2γₙ, a dot product that cancels has no
    bound on it.
    """
    # A TorchDispatchMode would catch every way to them, but double the time of all operations.
    with patch.object(Tensor, "dot", _dot), patch.object(Tensor, "sum", _sum):
        yield


torch_dot, torch_sum = Tensor.dot, Tensor.sum


def _dot(left: Tensor, right: Tensor) -> Tensor:
    if torch.is_grad_enabled() and (left.requires_grad or right.requires_grad):
        return torch_dot(left, right)
    product = np.dot(left.numpy(force=True), right.numpy(force=True))
    return torch.from_numpy(np.asarray(product))


def _sum(tensor: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    if torch.is_grad_enabled() and tensor.requires_grad:
        return torch_sum(tensor, dim, keepdim)
    total = np.sum(tensor.numpy(force=True), axis=dim, keepdims=keepdim)
    return torch.from_numpy(np.asarray(total))
