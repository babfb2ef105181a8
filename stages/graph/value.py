"""A value of a computation that is being written down, and the views on it."""

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stages.graph.operators import Arithmetic

Array = NDArray[Any]
View = Callable[[Array], Array]
Function = Callable[..., Any]  # a ufunc, or what is called like one


class Calls(Protocol):
    """What values are written to, see stages/graph/writer.py."""

    def apply(self, function: Function, *operands: "Value | float") -> "Value": ...
    def reduce(self, function: np.ufunc, value: "Value", axes: tuple[int, ...]) -> "Value": ...
    def matmul(self, left: "Value", right: "Value") -> "Value": ...
    def integers(self, count: int) -> "Value": ...


class Value(Arithmetic):
    """The result of one call, an array from outside the program, or a view on either.

    shape: (runs, ...), with 1 for runs where all runs share the value
    number: the value, where it is one known number: arithmetic with it is done at compile time
    fixed: whether it depends on nothing but inputs, and is computed when they are fed
    array: the memory of a value that is not a view; given by `Writer.program` at the latest
    """

    def __init__(
        self,
        writer: Calls,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        number: float | None = None,
        fixed: bool = False,
    ) -> None:
        self.writer, self.shape, self.number, self.fixed = writer, shape, number, fixed
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.array: Array | None = None
        self.parent: Value | None = None
        self._view: View | None = None
        self._inverse: View | None = None
        self._views: dict[Hashable, Value] = {}

    def view(
        self, key: Hashable, shape: tuple[int, ...], view: View, inverse: View | None
    ) -> "Value":
        """The same memory seen differently; `inverse`, where there is one, undoes `view`."""
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

    def place(self, destination: Array) -> bool:
        """Lets the value be computed right into `destination`, if nothing stands against it."""
        if self.shape != destination.shape or self.fixed:
            return False
        if self.parent is not None:
            return self._inverse is not None and self.parent.place(self._inverse(destination))
        if self.array is None:
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

    def reduce(self, function: np.ufunc, axes: Iterable[int]) -> "Value":
        """`function`, np.add or np.maximum, over `axes`, which remain with size 1."""
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
