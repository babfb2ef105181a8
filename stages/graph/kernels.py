"""Calls for which NumPy has no single function that writes into a buffer.

Each fills `out`, whatever lies in it, from arrays with the axis of the runs first, of size 1 where
all runs share one.
"""

import math
from collections.abc import Iterator
from typing import Any

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


def rounded(array: Array, out: Array) -> None:
    """The whole numbers nearest to those of the array, as integers."""
    with np.errstate(invalid="ignore"):  # of what is no number, they are far outside of all indices
        np.rint(array, out=out, casting="unsafe")


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


def windows_reduced(
    array: Array,
    out: Array,
    function: np.ufunc,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
) -> None:
    """`function`, np.maximum or np.add, over windows along the axes behind the channels.

    array, out: (runs, channels, *space, samples)
    """
    space = out.shape[2:-1]
    for number, offsets in enumerate(np.ndindex(*sizes)):
        seen = array[_strided(offsets, strides, space)]
        if number == 0:
            np.copyto(out, seen)
        else:
            function(out, seen, out=out)


def _strided(
    offsets: tuple[int, ...], strides: tuple[int, ...], counts: tuple[int, ...]
) -> tuple[slice, ...]:
    """The index of what lies at an offset of every window."""
    triples = zip(offsets, strides, counts, strict=True)
    own = (slice(first, first + stride * count, stride) for first, stride, count in triples)
    return (slice(None), slice(None), *own)


def routed(
    gradient: Array,
    largest: Array,
    images: Array,
    *hits: Array,
    out: Array,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[int, ...],
) -> None:
    """Zeros, to which the gradient of each window is added where it is hit.

    gradient, largest: (runs, channels, *space, samples), of each window
    images: (runs, channels, *space, samples), padded with NaN
    hits: booleans, for each offset inside a window whether its element gets the gradient
    out: as `images`
    """
    out.fill(0)
    space = gradient.shape[2:-1]
    if np.isnan(np.max(largest, initial=0)):
        hits = _with_nan(largest, images, hits, sizes, strides, padding)
    apart = all(size <= stride for size, stride in zip(sizes, strides, strict=True))
    finite = np.isfinite(np.max(gradient, initial=0)) and np.isfinite(np.min(gradient, initial=0))
    # An element is hit by earlier windows with its later offsets: torch adds in that order.
    for offsets, hit in reversed(list(zip(np.ndindex(*sizes), hits, strict=True))):
        own = out[_strided(offsets, strides, space)]
        if apart and finite:
            np.multiply(gradient, hit, own)  # a third of the time that a choice takes
        elif apart:
            np.copyto(own, gradient, where=hit)
        else:
            np.add(own, gradient, out=own, where=hit)


def _with_nan(
    largest: Array,
    images: Array,
    hits: tuple[Array, ...],
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[int, ...],
) -> tuple[Array, ...]:
    """The hits and, in windows with NaN, the last NaN that is not padding: torch's choice."""
    nan = np.isnan(images)
    for axis, more in enumerate(padding, start=2):
        borders = np.arange(nan.shape[axis])
        outside = (borders < more) | (borders >= nan.shape[axis] - more)
        nan &= ~outside.reshape(-1, *[1] * (nan.ndim - 1 - axis))
    left = np.isnan(largest)
    found: list[Array] = []
    for offsets, hit in reversed(list(zip(np.ndindex(*sizes), hits, strict=True))):
        own = left & nan[_strided(offsets, strides, largest.shape[2:-1])]
        left &= ~own
        found.insert(0, hit | own)
    return tuple(found)


def folded(
    columns: Array,
    out: Array,
    strides: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> None:
    """Zeros, to which each element of each window is added at its place, if that is not padding.

    columns: (runs, channels, *offsets, *space, samples), what lies at an offset of each window
    out: (runs, channels, *space, samples)
    """
    out.fill(0)
    dims = len(strides)
    sizes, counts, lengths = (
        columns.shape[2 : 2 + dims],
        columns.shape[2 + dims : -1],
        out.shape[2:],
    )
    for offsets in reversed(list(np.ndindex(*sizes))):  # in torch's order, see `routed`
        here, there = [], []
        for axis, offset in enumerate(offsets):
            first = offset * dilation[axis] - padding[axis]
            stride = strides[axis]
            start = max(0, -(first // stride))
            stop = min(counts[axis], (lengths[axis] - 1 - first) // stride + 1)
            here.append(slice(start, max(start, stop)))
            begin = first + start * stride
            there.append(slice(begin, begin + stride * max(0, stop - start), stride))
        whole = slice(None)
        own = out[whole, whole, *there]
        np.add(own, columns[whole, whole, *offsets, *here], out=own)


Cells = tuple[tuple[tuple[int, int], ...], ...]


def cells_averaged(array: Array, out: Array, cells: Cells) -> None:
    """The mean of each cell; cells: for each axis of space where they start and stop."""
    for position, own, count in _each_cell(cells):
        total = out[position]
        np.add.reduce(array[own], tuple(range(2, 2 + len(cells))), None, total)
        np.divide(total, count, total)


def cells_spread(gradient: Array, out: Array, cells: Cells) -> None:
    """Zeros, to which each element's share of the gradient of each cell's mean is added."""
    out.fill(0)
    for position, own, count in _each_cell(cells):
        share = gradient[position] / count
        part = out[own]
        np.add(part, share.reshape(*share.shape[:2], *[1] * len(cells), -1), out=part)


def _each_cell(cells: Cells) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...], int]]:
    """The index of each cell's mean, that of its elements, and their number."""
    whole = slice(None)
    for position in np.ndindex(*map(len, cells)):
        ends = [axis[cell] for axis, cell in zip(cells, position, strict=True)]
        own = [slice(start, stop) for start, stop in ends]
        yield (whole, whole, *position), (whole, whole, *own), math.prod(b - a for a, b in ends)
