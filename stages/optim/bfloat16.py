"""The bfloat16 arithmetic of torch on a CPU, in NumPy.

A bfloat16 number is a float32 of which only the upper 16 bits are kept, 8 of them for the mantissa;
here it is a float32 array that holds such numbers. The product of two of them is exact in float32,
and sums are taken in float32, so that all that remains to be reproduced of a matrix product is the
order of its sum Σₖ left[:, k] · right[k, :]. torch has three, and the way the two matrices lie in
memory selects one. These are the kernels of ATEN_CPU_CAPABILITY=default on x86-64. torch leaves
products of more than 16³ terms to oneDNN, whose order depends on the processor, unless
`torch.backends.mkldnn.enabled` is False.

Products are of (rows, inner) by (inner, columns), and float32 until they are rounded.
"""

import numpy as np
from numpy.typing import NDArray

from stages.optim.arithmetic import Array

BLOCK = 64  # terms that are multiplied at once; as many as there are sums at most

# Arrays, since NumPy takes three times as long with Python's integers.
DROPPED, LAST, HALF, KEPT = map(np.asarray, np.array([16, 1, 0x7FFF, 0xFFFF0000], np.uint32))

BFloat16 = NDArray[np.float32]
Float32 = NDArray[np.float32]


def to_bfloat16(values: Array) -> BFloat16:
    """Rounded to bfloat16, ties to even, by way of float32."""
    single = np.asarray(values, np.float32)
    bits = single.view(np.uint32)
    sums = np.empty_like(bits)
    np.right_shift(bits, DROPPED, sums)
    np.bitwise_and(sums, LAST, sums)
    np.add(sums, HALF, sums)  # of the last place that is kept, less where ties go down
    np.add(sums, bits, sums)
    np.bitwise_and(sums, KEPT, sums)
    rounded = sums.view(np.float32)
    np.copyto(rounded, single, where=np.isnan(single))  # the sum may have made it a number
    return rounded


def norm(values: BFloat16) -> BFloat16:
    """The root of the sum of squares, 0-d, summed in the order in which the values are given."""
    if values.size == 1:
        return np.abs(values.reshape(()))  # the square might be too small or too large
    squares = np.square(values).ravel()
    whole = squares.size - squares.size % 16
    lanes = squares[:whole].reshape(-1, 8).sum(axis=0)  # NumPy adds row to row
    total = np.add.accumulate(np.concatenate([lanes, squares[whole:]]))[-1]
    return to_bfloat16(np.sqrt(total))


def product_in_order(left: BFloat16, right: BFloat16) -> Float32:
    """The product, one k after the other: torch's order where left alone lies by columns."""
    total = _zeros(1, left, right)
    _accumulate(total, left, right)
    return _sum(total)


def product_by_fours(left: BFloat16, right: BFloat16) -> Float32:
    """The product in four interleaved sums: torch's order where both lie by rows."""
    whole = len(right) - len(right) % 4
    if whole == 0:
        return product_in_order(left, right)
    sums = _zeros(4, left, right)
    _accumulate(sums, left[:, :whole], right[:whole])
    _accumulate(sums[:1], left[:, whole:], right[whole:])
    return _sum(sums)


def product_by_registers(left: BFloat16, right: BFloat16) -> Float32:
    """The product in eight registers of eight: torch's order where right alone lies by columns."""
    whole, pairs = len(right) - len(right) % 64, len(right) - len(right) % 16
    if pairs == 0:
        return product_in_order(left, right)
    sums, rest = _zeros(64, left, right), _zeros(8, left, right)
    _accumulate(sums, left[:, :whole], right[:whole])
    _accumulate(rest, left[:, whole:pairs], right[whole:pairs])
    while len(sums) > 8:
        half = len(sums) // 2
        sums = sums[:half] + sums[half:]
    total = _sum(sums) + _sum(rest)
    _accumulate(total[None], left[:, pairs:], right[pairs:])
    return total


def _zeros(count: int, left: BFloat16, right: BFloat16) -> Float32:
    return np.zeros((count, left.shape[0], right.shape[1]), np.float32)


def _sum(sums: Float32) -> Float32:
    total: Float32 = sums[0].copy()
    for following in sums[1:]:
        np.add(total, following, total)
    return total


def _accumulate(sums: Float32, left: BFloat16, right: BFloat16) -> None:
    """Adds the terms of left @ right to `sums`, (count, rows, columns), in turn."""
    columns, rows = left.T[:, :, None], right[:, None, :]
    for start in range(0, len(right), BLOCK):
        terms = columns[start : start + BLOCK] * rows[start : start + BLOCK]
        for k in range(0, len(terms), len(sums)):
            np.add(sums, terms[k : k + len(sums)], sums)
