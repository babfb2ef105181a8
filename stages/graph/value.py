"""A value of a computation that is being written down, and the views on it."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

from stages.graph.operators import Arithmetic

Array = NDArray[Any]
View = Callable[[Array], Array]
Order = tuple[int, ...]
Function = Callable[..., Any]  # a ufunc, or what is called like one


class Calls(Protocol):
    """What values are written to, see stages/graph/writer.py."""

    samples: int

    def apply(self, function: Function, *operands: "Value | float") -> "Value": ...
    def call(
        self,
        function: Callable[..., object],
        operands: Sequence["Value"],
        shape: tuple[int, ...],
        order: Order | None = None,
        dtype: DTypeLike | None = None,
        /,
        **options: Hashable,
    ) -> "Value": ...
    def copy(self, value: "Value", order: Order | None) -> "Value": ...
    def number(self, number: float, shape: tuple[int, ...]) -> "Value": ...
    def reduce(self, function: np.ufunc, value: "Value", axes: tuple[int, ...]) -> "Value": ...
    def matmul(self, left: "Value", right: "Value") -> "Value": ...
    def integers(self, count: int) -> "Value": ...


class Value(Arithmetic):
    """The result of one call, an array from outside the program, or a view on either.

    shape: (runs, ...), with 1 for runs where all runs share the value
    number: the value, where it is one known number: arithmetic with it is done at compile time
    fixed: whether it depends on nothing but inputs, and is computed when they are fed
    order: of the axes of a result in memory, outermost first; None for what `arranged` says
    array: the memory of a value that is not a view; given by `Writer.program` at the latest
    """

    def __init__(
        self,
        writer: Calls,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        number: float | None = None,
        fixed: bool = False,
        order: Order | None = None,
    ) -> None:
        self.writer, self.shape, self.number, self.fixed = writer, shape, number, fixed
        self.order = order
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.array: Array | None = None
        self.parent: Value | None = None
        self._view: View | None = None
        self._inverse: View | None = None
        self._views: dict[Hashable, Value] = {}
        self._reshaped = False
        self._reshapes = 0

    def view(
        self, key: Hashable, shape: tuple[int, ...], view: View, inverse: View | None
    ) -> "Value":
        """The same memory seen differently; `inverse`, where there is one, undoes `view`.

        Either raises ValueError where it would have to copy the memory.
        """
        if key not in self._views:
            value = Value(self.writer, shape, self.dtype, self.number, self.fixed)
            value.parent, value._view, value._inverse = self, view, inverse
            self._views[key] = value
        return self._views[key]

    def apply(self, function: Function, *others: "Value | float") -> "Value":
        """An element-wise NumPy function of this value and others."""
        return self.writer.apply(function, self, *others)

    @property
    def base(self) -> "Value":
        """The value whose memory this is a view on, or itself."""
        return self if self.parent is None else self.parent.base

    def memory(self) -> Array:
        """The array that holds the value."""
        if self.parent is not None and self._view is not None:
            return self._view(self.parent.memory())
        assert self.array is not None
        return self.array

    @property
    def sketch(self) -> Array:
        """An array that lies as the value will, of numbers that mean nothing."""
        if self.parent is not None and self._view is not None:
            return self._view(self.parent.sketch)
        if self.array is not None:
            return self.array
        return arranged(np.empty(math.prod(self.shape), self.dtype), self.shape, self.order)

    def place(self, destination: Array, reshapes: int = 0) -> bool:
        """Lets the value be computed right into `destination`, if nothing stands against it.

        reshapes: how many of its views between this and `destination` hold only for some memory
        """
        if self.shape != destination.shape or self.fixed:
            return False
        if self.parent is not None:
            if self._inverse is None:
                return False
            try:
                inside = self._inverse(destination)
            except ValueError:
                return False
            return self.parent.place(inside, reshapes + self._reshaped)
        if self.array is None and self._reshapes == reshapes:
            self.array = destination
            return True
        return False

    def _operate(self, name: str, *operands: Any) -> "Value":
        if name == "matmul":
            return self.writer.matmul(*operands)
        return self.writer.apply(getattr(np, name), *operands)

    def equals(self, other: "Value | float") -> "Value":
        """1 where the two are equal, 0 elsewhere."""
        return self.apply(np.equal, other)

    def where(self, a: "Value | float", b: "Value | float") -> "Value":
        """`a` where this is not 0, `b` elsewhere."""
        return self.apply(_where, a, b)

    @property
    def T(self) -> "Value":
        """The last two axes exchanged."""
        *lead, rows, columns = self.shape
        return self.view("swap", (*lead, columns, rows), _swap, _swap)

    def insert(self, axes: Iterable[int]) -> "Value":
        """The same with axes of size 1 put in, so that they stand at `axes` of the result."""
        new, sizes = tuple(sorted(axes)), iter(self.shape)
        ndim = len(self.shape) + len(new)
        shape = tuple(1 if axis in new else next(sizes) for axis in range(ndim))
        there, back = partial(np.expand_dims, axis=new), partial(np.squeeze, axis=new)
        return self.view(("insert", new), shape, there, back)

    def expand(self, ndim: int) -> "Value":
        """The same with axes of size 1 behind the runs axis, until there are `ndim`."""
        missing = ndim - len(self.shape)
        return self.insert(range(1, 1 + missing)) if missing > 0 else self

    def broadcast(self, shape: tuple[int, ...]) -> "Value":
        """The same repeated to `shape`, the runs axis apart."""
        shape = (self.shape[0], *shape[1:])
        expanded = self.expand(len(shape))
        if expanded.shape == shape:
            return expanded
        repeat = partial(np.broadcast_to, shape=shape)
        return expanded.view(("broadcast", shape), shape, repeat, None)

    def copy(self, order: Order | None = None) -> "Value":
        """The same in memory of its own, with its axes in `order`."""
        return self.writer.copy(self, order)

    def contiguous(self) -> "Value":
        """The same with the elements of each run one behind the other, copied only if need be."""
        if self.number is not None or self.sketch[0].flags.c_contiguous:
            return self
        return self.copy(tuple(range(len(self.shape))))

    @property
    def memory_order(self) -> Order | None:
        """Its axes as they lie in memory, outermost first, if they are many; None for others."""
        return order_of(self.sketch) if len(self.shape) > 3 and self.number is None else None

    def permute(self, axes: Iterable[int]) -> "Value":
        """The same with the axes in another order; the first, of the runs, stays."""
        order = tuple(axes)
        if order == tuple(range(len(order))):
            return self
        shape = tuple(self.shape[axis] for axis in order)
        there = partial(np.transpose, axes=order)
        back = partial(np.transpose, axes=tuple(map(int, np.argsort(order))))
        return self.view(("permute", order), shape, there, back)

    def reshape(self, *sizes: int) -> "Value":
        """The elements of each run in the same order as (runs, *sizes), copied only if need be."""
        shape = (self.shape[0], *sizes)
        if shape == self.shape:
            return self
        there, back = partial(_reshaped, shape=shape), partial(_reshaped, shape=self.shape)
        try:
            there(self.sketch)
        except ValueError:
            return self.copy(tuple(range(len(self.shape)))).reshape(*sizes)
        value = self.view(("reshape", shape), shape, there, back)
        if not value._reshaped:
            value._reshaped = True
            self.base._reshapes += 1
        return value

    def slice(self, ranges: Sequence[tuple[int, int, int] | None]) -> "Value":
        """A part: for each axis behind the runs (start, stop, step), or None for all of it."""
        if not any(ranges):
            return self
        shape = (
            self.shape[0],
            *(
                size if one is None else len(range(*one))
                for one, size in zip(ranges, self.shape[1:], strict=True)
            ),
        )
        there = partial(_sliced, index=part(ranges))
        return self.view(("slice", *ranges), shape, there, None)

    def windows(self, axes: Sequence[int], sizes: Sequence[int]) -> "Value":
        """All windows of `sizes` along `axes`: each such axis says where one begins.

        The axes inside the windows come last.
        """
        there = partial(sliding_window_view, window_shape=tuple(sizes), axis=tuple(axes))
        shape = there(self.sketch).shape
        return self.view(("windows", *axes, *sizes), shape, there, None)

    def reduce(self, function: np.ufunc, axes: Iterable[int]) -> "Value":
        """`function`, such as np.add, over `axes`, which remain with size 1."""
        return self.writer.reduce(function, self, tuple(sorted(axes)))

    def drop(self, axes: Iterable[int]) -> "Value":
        """The same without `axes`, each of size 1."""
        gone = tuple(sorted(axes))
        shape = tuple(size for axis, size in enumerate(self.shape) if axis not in gone)
        there, back = partial(np.squeeze, axis=gone), partial(np.expand_dims, axis=gone)
        return self.view(("drop", gone), shape, there, back)

    def sum_to(self, shape: tuple[int, ...]) -> "Value":
        """The sum over what broadcasting from `shape` repeated: the way back for a gradient."""
        extra = range(1, 1 + len(self.shape) - len(shape))
        sizes = (shape[0], *[1] * len(extra), *shape[1:])
        pairs = zip(sizes, self.shape, strict=True)
        repeated = [axis for axis, (own, size) in enumerate(pairs) if axis and own == 1 < size]
        value = self.reduce(np.add, repeated) if repeated else self
        return value.drop(extra) if extra else value


def _where(condition: Array, a: Array, b: Array, out: Array | None = None) -> Array:
    result = np.where(condition, a, b)
    if out is not None:
        np.copyto(out, result)
    return result


def _swap(array: Array) -> Array:
    return array.swapaxes(-1, -2)


def _reshaped(array: Array, shape: tuple[int, ...]) -> Array:
    return array.reshape(shape, copy=False)


def _sliced(array: Array, index: tuple[slice, ...]) -> Array:
    return array[index]


def part(ranges: Sequence[tuple[int, int, int] | None]) -> tuple[slice, ...]:
    """The index of NumPy that takes a part behind the runs, see `Value.slice`."""
    return (slice(None), *(slice(None) if one is None else slice(*one) for one in ranges))


def arranged(flat: Array, shape: tuple[int, ...], order: Order | None = None) -> Array:
    """`flat` as an array of `shape`.

    order: of its axes in memory, outermost first; by default the last two are exchanged, so that
        samples lie contiguous
    """
    if order is None:
        if len(shape) < 3:
            return flat.reshape(shape)
        *lead, rows, columns = range(len(shape))
        order = (*lead, columns, rows)
    return flat.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


def order_of(array: Array) -> Order:
    """The axes of an array as they lie in memory, outermost first, the runs before all."""
    axes = sorted(range(1, array.ndim), key=lambda axis: -abs(array.strides[axis]))
    return (0, *axes)
