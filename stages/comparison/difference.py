"""How far apart two results are that should be equal."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def relative_difference(left: Array, right: Array) -> float:
    """The largest |left - right| / max(|left|, |right|) of all elements; 0 where both are 0.

    NaN if an element is not finite.
    """
    scale = np.maximum(np.abs(left), np.abs(right))
    half = np.where(scale > 1, 0.5, 1.0)  # lest the difference of two large numbers overflow
    with np.errstate(invalid="ignore"):
        ratio = np.abs(left * half - right * half) / np.where(scale == 0, 1, scale * half)
    return float(np.max(ratio))


def ulp_difference(left: Array, right: Array) -> int:
    """How many floating-point numbers lie between the two, at most: 0 is equality bit for bit.

    Both float32 or both float64; +0 and -0 count as one apart.
    """
    return max(
        (abs(a - b) for a, b in zip(_ordered(left), _ordered(right), strict=True)), default=0
    )


def _ordered(values: Array) -> list[int]:
    """Integers in the order of the floating-point numbers, with consecutive ones 1 apart."""
    bits = values.astype(values.dtype.newbyteorder("=")).view(f"i{values.dtype.itemsize}")
    magnitude = np.iinfo(bits.dtype).max
    return [int(b) if b >= 0 else -(int(b) & magnitude) - 1 for b in bits.reshape(-1)]
