"""Clipping of gradients, by their norm or by their values.

    g = g · min(1, max_norm / (‖g‖ + 1e-6))
    g = min(max(g, -clip_value), clip_value)

Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013;
https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html

As in torch the norm is that of the norms of the model's arrays. The sum in it has an order: for
p = 2 it is that of torch's kernels for x86-64 without vector instructions beyond SSE2
(ATEN_CPU_CAPABILITY=default), so the norm is the same to the last bit; for p of ∞, -∞ and 0 there
is nothing to round. Any other p takes NumPy's order, where each sum of n terms may differ from
torch's by 2γₙ = 2 · n · u / (1 - n · u) relative to it, u being 2⁻⁵³ or 2⁻²⁴ (Higham, "Accuracy and
Stability of Numerical Algorithms", 2nd edition, section 4.2), and its powers in the last place.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod

import numpy as np

from stages.optim.adafactor import REGISTER, in_turn, row_by_row
from stages.optim.arithmetic import Array, chunks, rounded
from stages.optim.bounds import Hyperparameter


def clip_grad_norm_(
    gradients: Array,
    max_norm: Hyperparameter,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    shapes: Sequence[tuple[int, ...]] | None = None,
) -> Array:
    """Scales the gradients of each run down to a norm, in place; returns the norms before, (runs,).

    gradients: (runs, n), or (n,) of a single run, whose norm is 0-d; float64 or float32
    max_norm: of all runs or of each, (runs,)
    norm_type: p of the norm (Σ |g|^p)^(1/p), which may be infinite
    error_if_nonfinite: refuse a norm that is infinite or not a number
    shapes: of the model's arrays, which lie one after the other; None if there is but one

    Raises ValueError for such a norm, and where shapes and gradients do not fit.

    >>> gradients = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> clip_grad_norm_(gradients, max_norm=1.0)
    array([5. , 0.5])
    >>> gradients.round(4)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    norms = total_norm(gradients, norm_type, shapes)
    if error_if_nonfinite and not np.isfinite(norms).all():
        raise ValueError(f"the norm of order {norm_type} must be finite, got {norms}")
    one = gradients.dtype.type(1)
    # as torch divides a number by a tensor: by its reciprocal
    factor = one / (norms[..., None] + gradients.dtype.type(1e-6)) * rounded(max_norm, gradients)
    factor = np.minimum(factor, one)
    if not (factor == one).all():  # else a product with it changes nothing
        for index in chunks(gradients):
            part = gradients[index]
            np.multiply(part, factor, part)
    return norms


def clip_grad_value_(gradients: Array, clip_value: Hyperparameter) -> None:
    """Brings each gradient into [-clip_value, clip_value], in place; NaN stays.

    gradients: of any shape, or (runs, n) where clip_value is an array, (runs,)

    >>> gradients = np.array([-3.0, 0.5])
    >>> clip_grad_value_(gradients, 1.0)
    >>> gradients
    array([-1. ,  0.5])
    """
    limit = rounded(clip_value, gradients)
    for index in chunks(gradients):
        part = gradients[index]
        np.maximum(part, -limit, out=part)
        np.minimum(part, limit, out=part)


def total_norm(
    gradients: Array, norm_type: float = 2.0, shapes: Sequence[tuple[int, ...]] | None = None
) -> Array:
    """The norm over the last axis: that of the norms of the model's arrays, see clip_grad_norm_."""
    if shapes is None:
        return norm(gradients, norm_type)
    stops = [0, *accumulate(map(prod, shapes))]
    if stops[-1] != gradients.shape[-1]:
        raise ValueError(
            f"shapes must have {gradients.shape[-1]} numbers as the gradients, got {stops[-1]}"
        )
    norms = [norm(gradients[..., start:stop], norm_type) for start, stop in pairwise(stops)]
    return norm(np.stack(norms, axis=-1), norm_type)


def norm(values: Array, p: float) -> Array:
    """(Σ |x|^p)^(1/p) over the last axis; the largest |x| for p = ∞, the smallest for -∞."""
    if values.shape[-1] == 1 and p != 0:  # a power of it might underflow
        return np.abs(values[..., 0])
    if p == np.inf:
        return np.asarray(np.max(np.abs(values), axis=-1))
    if p == -np.inf:
        return np.asarray(np.min(np.abs(values), axis=-1))
    if p == 0:
        return np.asarray(np.count_nonzero(values, axis=-1)).astype(values.dtype)
    if p == 1:
        return np.asarray(np.sum(np.abs(values), axis=-1))
    if p == 2:
        return np.sqrt(sum_of_squares(values))
    exponents = values.dtype.type(p), values.dtype.type(1 / p)
    return np.asarray(np.sum(np.abs(values) ** exponents[0], axis=-1) ** exponents[1])


def sum_of_squares(values: Array) -> Array:
    """Σ x² over the last axis, in the order of torch's kernels.

    The elements are added up side by side in the lanes of a vector register, then the lanes one
    after the other, and what filled no register at the end. In chunks: the squares stay in the
    cache.
    """
    *others, count = values.shape
    lanes = REGISTER // values.itemsize
    in_lanes = count - count % lanes
    sums = np.zeros((*others, 1, lanes), values.dtype)
    for index in chunks(values[..., :in_lanes]):
        part = values[..., :in_lanes][index]
        squares = np.multiply(part, part).reshape(*others, -1, lanes)
        # the sums so far come first, since it must be one row after the other from the beginning on
        sums = row_by_row(np.concatenate([sums, squares], axis=-2))[..., None, :]
    rest = values[..., in_lanes:]
    total: Array = in_turn(-1, sums[..., 0, :], rest * rest)[..., 0]
    return np.asarray(total)
