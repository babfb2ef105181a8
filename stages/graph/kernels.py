"""Calls for which NumPy has no single function that writes into a buffer.

Each fills `out`, whatever lies in it, from arrays with the axis of the runs first, of size 1 where
all runs share one.
"""

import math

import numpy as np

from stages.graph.value import Array, part

Ranges = tuple[tuple[int, int, int] | None, ...]


def assembled(
    *arrays: Array, out: Array, parts: tuple[Ranges, ...], fill: float | None = None
) -> None:
    """Each array in its part of `out`, see `Value.slice`, and `fill` wherever there is none."""
    if fill is not None:
        out.fill(fill)
    for array, ranges in zip(arrays, parts, strict=True):
        np.copyto(out[part(ranges)], array)


def positions_of_taken(indices: Array, out: Array, shape: tuple[int, ...], axis: int) -> None:
    """Where in an array of `shape` the elements lie that are taken along `axis`.

    indices: (runs, ...)
    out: (runs, *shape[:axis], *..., *shape[axis + 1:])
    """
    _refuse_outside(indices, shape[axis])
    before, behind = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    taken = indices.reshape(len(indices), 1, -1, 1)
    firsts = np.arange(before).reshape(-1, 1, 1) * (shape[axis] * behind)
    out[...] = (firsts + taken * behind + np.arange(behind)).reshape(out.shape)


def positions_of_gathered(indices: Array, out: Array, shape: tuple[int, ...], axis: int) -> None:
    """Where in an array of `shape` the elements lie that `gather` takes along `axis`.

    indices, out: (runs, ...) with no size but that of `axis` larger than that of `shape`
    """
    _refuse_outside(indices, shape[axis])
    own: tuple[Array, ...] = np.indices(indices.shape[1:], sparse=True)
    steps = [math.prod(shape[position + 1 :]) for position in range(len(shape))]
    out[...] = indices * steps[axis]
    for position, (numbers, step) in enumerate(zip(own, steps, strict=True)):
        if position != axis:
            out += numbers * step


def _refuse_outside(indices: Array, size: int) -> None:
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        found = indices[outside][0]
        raise IndexError(f"an index must be from 0 to {size - 1}, got {found}")


def taken(array: Array, positions: Array, out: Array) -> None:
    """The elements at `positions` of the array, which are those of one run in NumPy's order."""
    for run in range(len(out)):
        elements = array[run % len(array)].reshape(-1)
        # all positions are inside, and where NumPy need not raise it writes right into `out`
        np.take(elements, positions[run % len(positions)], out=out[run, ...], mode="clip")


def scattered(gradient: Array, positions: Array, out: Array) -> None:
    """Zeros, to which each number is added at its position, one after the other.

    out: (runs, elements)
    """
    out.fill(0)
    for run, total in enumerate(out):
        numbers = gradient[run % len(gradient)].reshape(-1)
        np.add.at(total, positions[run % len(positions)].reshape(-1), numbers)


def cumulated(array: Array, out: Array, axis: int, reverse: bool) -> None:
    """The sums of all elements up to each along an axis; if reversed, of all from each on."""
    if reverse:
        array, out = np.flip(array, axis), np.flip(out, axis)
    np.cumsum(array, axis, out=out)
