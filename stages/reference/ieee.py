"""torch with the arithmetic of IEEE 754, for comparisons bit for bit.

torch's vector kernels contract a · b + c into one rounding, and its square root is now and then
off by one unit in the last place. Neither is wrong, but neither is what NumPy computes.

Import this before torch: torch chooses its kernels once, when it is imported.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the kernels without fused multiply-adds

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

# oneDNN has an order of additions of its own, which depends on the processor.
torch.backends.mkldnn.enabled = False  # type: ignore[assignment]

Function = Callable[..., Any]


def _in_numpy(torch_function: Function, numpy_function: Function) -> Function:
    """NumPy's function for tensors; torch's own where autograd records it, as in a closure."""

    def either(*arguments: Any, **options: Any) -> Tensor:
        tensors = [each for each in arguments if isinstance(each, Tensor)]
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            result: Tensor = torch_function(*arguments, **options)
            return result
        arrays = (a.detach().numpy() if isinstance(a, Tensor) else a for a in arguments)
        return torch.from_numpy(np.asarray(numpy_function(*arrays, **options)))

    return either


def _root_in_place(tensor: Tensor) -> Tensor:
    return tensor.copy_(tensor.sqrt())


def _sum(array: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    return np.sum(array, axis=dim, keepdims=keepdim)


class _Replaced:
    """While it is entered, names of torch stand for other functions.

    A TorchDispatchMode would catch every way to them, but double the time of all operations.
    """

    table: tuple[tuple[Any, str, Function], ...]  # owner, name, function

    def __enter__(self) -> None:
        self._owned = [vars(owner).get(name) for owner, name, _ in self.table]
        for owner, name, function in self.table:
            setattr(owner, name, function)

    def __exit__(self, *_: object) -> None:
        for (owner, name, _function), owned in zip(self.table, self._owned, strict=True):
            if owned is None:  # a tensor inherits most of its methods
                delattr(owner, name)
            else:
                setattr(owner, name, owned)


class IEEESquareRoot(_Replaced):
    """While it is entered, torch.sqrt, Tensor.sqrt and Tensor.sqrt_ are NumPy's, rounded correctly.

    Not where autograd records them.
    """

    table = (
        (torch, "sqrt", _in_numpy(torch.sqrt, np.sqrt)),
        (Tensor, "sqrt", _in_numpy(Tensor.sqrt, np.sqrt)),
        (Tensor, "sqrt_", _root_in_place),
    )


class NumPyReductions(_Replaced):
    """While it is entered, Tensor.dot and Tensor.sum are NumPy's: equality given the same ones.

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

    table = (
        (Tensor, "dot", _in_numpy(Tensor.dot, np.dot)),
        (Tensor, "sum", _in_numpy(Tensor.sum, _sum)),
    )
