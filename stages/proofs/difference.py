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


def relative_drift(ours: Array, theirs: Array) -> NDArray[np.float64]:
    """‖ours - theirs‖ / ‖ours‖ over the last axis; not finite where an element is not.

    Of all parameters as one vector: a single one passes through 0 now and then, and there the
    smallest difference is a large part of it. Where all of ours are 0, ‖theirs‖.
    """
    with np.errstate(all="ignore"):
        size = np.linalg.norm(ours.astype(np.float64), axis=-1)
        apart = np.linalg.norm(ours.astype(np.float64) - theirs, axis=-1)
        drift: NDArray[np.float64] = apart / np.where(size == 0, 1, size)
    return drift


def radii(apart: Array, cloud: Array) -> float:
    """How far a training is from another, in radii of the cloud around that, at most at any moment.

    apart: (moments,) distances of the two
    cloud: (moments, runs) distances of each run of the cloud

    The radius is the largest distance of any run so far: a training that comes to rest forgets its
    last bits, and one moment is as good as another to see what rounding can do. It is unbounded
    from the moment on at which a run is no finite number. Infinite where only the training is not.
    """
    radius = np.maximum.accumulate(np.where(np.isnan(cloud), np.inf, cloud).max(axis=1))
    with np.errstate(all="ignore"):
        times = np.where(np.isnan(apart), np.inf, apart) / radius
    return float(np.max(np.where((apart == 0) | np.isinf(radius), 0, times), initial=0))


def ulp_difference(left: Array, right: Array) -> int:
    """How many floating-point numbers lie between the two, at most: 0 is equality bit for bit.

    Both float32 or both float64; +0 and -0 count as one apart, two that are no number as equal.
    """
    return int(np.max(ulp_differences(left, right), initial=0))


def ulp_differences(left: Array, right: Array) -> NDArray[np.uint64]:
    """How many floating-point numbers lie between each two elements, see `ulp_difference`."""
    a, b = _ordered(left), _ordered(right)
    apart = np.maximum(a, b) - np.minimum(a, b)
    apart[np.isnan(left) & np.isnan(right)] = 0
    return apart


def ulp_along_paths(left: Array, right: Array) -> float:
    """How far apart two paths, (steps, ...), are at most, in ULP of the size that they have had.

    The unit of each element is that of its largest value so far: one that comes back to 0 by way
    of large values cannot be more exact than those. Infinite where only one is a finite number.
    """
    size = np.maximum.accumulate(np.fmax(np.abs(left), np.abs(right)))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(left - right) / np.spacing(np.minimum(size, np.finfo(size.dtype).max))
    apart[(left == right) | (np.isnan(left) & np.isnan(right))] = 0
    return float(np.max(np.where(np.isnan(apart), np.inf, apart), initial=0))


def _ordered(values: Array) -> NDArray[np.uint64]:
    """Whole numbers in the order of the floating-point numbers, with consecutive ones 1 apart."""
    size = values.dtype.itemsize
    bits = values.astype(values.dtype.newbyteorder("=")).view(f"u{size}")
    sign = bits.dtype.type(1) << bits.dtype.type(8 * size - 1)
    return np.where(bits & sign, ~bits, bits | sign).astype(np.uint64)
