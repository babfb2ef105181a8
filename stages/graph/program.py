"""A compiled computation: two flat lists of NumPy calls on buffers that are allocated once.

`Graph.compile` writes a program in terms of `Value`s, each the result of one call and never
changed after it. Only when the whole program is known does `finish` give every value its memory:
a buffer is used again as soon as nobody reads it any more, an element-wise call may overwrite its
own operand, and so the working set stays in the cache.

A result of shape (runs, samples, features) lies in memory as (runs, features, samples). Features
are few and samples many, so element-wise calls, reductions over features and BLAS all run along
the long axis.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stages.graph.operators import Arithmetic

Array = NDArray[Any]
View = Callable[[Array], Array]

CACHE_LINE = 64  # bytes
FEW = 8  # features: up to here BLAS gains more from contiguous samples than it costs to feed them
MANY = 16  # samples: from here on BLAS adds them up in half the time, as a product with ones


class Value(Arithmetic):
    """The result of one call of a program, an array from outside it, or a view on either.

    shape: (runs, ...), with 1 for runs where all runs share the value
    number: the value, where it is one known number: arithmetic with it is done at compile time
    fixed: whether it depends on nothing but inputs, and is computed when they are fed
    array: the memory of a value that is no view; given by `Program.finish` at the latest
    """

    def __init__(
        self,
        program: "Program",
        shape: tuple[int, ...],
        dtype: DTypeLike,
        number: float | None = None,
        fixed: bool = False,
    ) -> None:
        self.program, self.shape, self.number, self.fixed = program, shape, number, fixed
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
            value = Value(self.program, shape, self.dtype, self.number, self.fixed)
            value.parent, value._view, value._inverse = self, view, inverse
            self._views[key] = value
        return self._views[key]

    def apply(self, function: np.ufunc, *others: "Value | float") -> "Value":
        """An element-wise NumPy function of this value and others."""
        return self.program.apply(function, self, *others)

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
            return self.program.matmul(*operands)
        return self.program.apply(getattr(np, name), *operands)

    def __gt__(self, other: "Value | float") -> "Value":
        return self.apply(np.greater, other)

    def equals(self, other: "Value | float") -> "Value":
        """1 where the two are equal, 0 elsewhere."""
        return self.apply(np.equal, other)

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
        return self.program.reduce(function, self, tuple(sorted(axes)))

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


def _swap(array: Array) -> Array:
    return array.swapaxes(-1, -2)


@dataclass(frozen=True)
class Call:
    """One NumPy call: `function(*operands, out=result)`, or a reduction over `axes`."""

    function: np.ufunc
    operands: tuple[Value, ...]
    result: Value
    axes: tuple[int, ...] = ()

    @property
    def elementwise(self) -> bool:
        """Whether element i of the result needs no more than element i of each operand."""
        return not self.axes and self.function is not np.matmul

    def bind(self) -> Callable[[], Any]:
        """The call on the memory of its values, in the form that costs NumPy least."""
        arrays = [self._array(operand) for operand in self.operands]
        arrays.append(self.result.memory())
        if all(array.ndim == 0 or len(array) == 1 for array in arrays):
            arrays = [array[0, ...] if array.ndim else array for array in arrays]
        if self.elementwise:
            arrays = _flattened(arrays)
        *operands, out = arrays
        if self.axes:
            reduce: Callable[..., Any] = self.function.reduce
            axes = self.axes if len(self.axes) > 1 else self.axes[0]
            return partial(reduce, *operands, axes, None, out, True)
        if self.function is np.matmul and out.ndim == 2:
            return _dot(operands[0], operands[1], out)
        if self.function is np.maximum:  # the one that wants `out` by name
            return partial(self.function, *operands, out=out)
        return partial(self.function, *operands, out)

    def _array(self, operand: Value) -> Array:
        if operand.number is None:
            return operand.memory()
        return np.asarray(operand.number, self.result.program.dtype)


def _dot(left: Array, right: Array, out: Array) -> Callable[[], Any]:
    """The product of two matrices by np.dot, which is quicker to start than np.matmul."""
    if out.flags.c_contiguous:
        return partial(np.dot, left, right, out)
    if out.flags.f_contiguous:
        return partial(np.dot, right.T, left.T, out.T)
    return partial(np.matmul, left, right, out)


def _flattened(arrays: list[Array]) -> list[Array]:
    """One-dimensional views, where all arrays lie alike and without gaps: NumPy's fastest loop."""
    out = arrays[-1]
    full = [array for array in arrays if array.ndim]
    order = np.argsort([-stride for stride in out.strides], kind="stable")
    if all(array.shape == out.shape for array in full):
        turned = [array.transpose(order) if array.ndim else array for array in arrays]
        if all(array.flags.c_contiguous for array in turned):
            return [array.reshape(-1) if array.ndim else array for array in turned]
    return arrays


class Program:
    """What a `Graph` compiles to.

    outputs: the arrays to read after `forward`, (runs, ...)
    nbytes: the memory of all buffers
    """

    def __init__(self, runs: int, dtype: np.dtype[Any]) -> None:
        self.runs, self.dtype = runs, dtype
        self.outputs: list[Array] = []
        self.nbytes = 0
        self._inputs: dict[str, Array] = {}
        self._prepare: list[Callable[[], Any]] = []
        self._forward: list[Callable[[], Any]] = []
        self._backward: list[Callable[[], Any]] = []
        self._calls: list[Call] = []
        self._written: dict[Hashable, Value] = {}
        self._integers: dict[int, Value] = {}
        self._kept: list[Value] = []

    def feed(self, **inputs: Array) -> None:
        """Takes a copy of each input, (runs or 1, samples, ...), for the next executions.

        Raises KeyError for an input that is missing, ValueError for a shape that does not fit.
        """
        for name, array in self._inputs.items():
            if inputs[name].shape[1:] != array.shape[1:]:
                expected = f"(runs or 1, *{array.shape[1:]})"
                raise ValueError(f"input {name}: expected {expected}, got {inputs[name].shape}")
            np.copyto(array, inputs[name])
        self._prepare_fixed()

    def _prepare_fixed(self) -> None:
        for call in self._prepare:
            call()

    def forward(self) -> None:
        """Computes the outputs from the inputs and the parameters."""
        for call in self._forward:
            call()

    def backward(self) -> None:
        """Computes the gradients, once after each `forward`, whose buffers it uses up."""
        for call in self._backward:
            call()

    def gradients(self) -> Array:
        """The first output, (runs,); fills the graph's gradients with those of it."""
        self.forward()
        self.backward()
        return self.outputs[0]

    # The rest writes the program, for `Graph.compile`.

    @property
    def length(self) -> int:
        """The number of calls written so far."""
        return len(self._calls)

    def input(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
        """A value that is written from outside before `forward`, see `feed`."""
        # Many features lie as in tables: to copy whole rows in is worth more than BLAS gains.
        many = len(shape) == 3 and shape[-1] > FEW
        flat = self._memory(math.prod(shape), dtype)
        self._inputs[name] = flat.reshape(shape) if many else _arranged(flat, shape)
        return self.external(self._inputs[name], fixed=True)

    def external(self, array: Array, fixed: bool = False) -> Value:
        """A value that lies in `array`, (runs or 1, ...), outside the program."""
        value = Value(self, array.shape, array.dtype, fixed=fixed)
        value.array = array
        return value

    def number(self, number: float, shape: tuple[int, ...]) -> Value:
        """A known number, repeated to `shape`."""
        return Value(self, shape, self.dtype, number, fixed=True)

    def integers(self, count: int) -> Value:
        """0, 1, ... count - 1, of shape (1, count)."""
        if count not in self._integers:
            self._integers[count] = self.external(np.arange(count)[None], fixed=True)
        return self._integers[count]

    def _once(self, call: Call) -> Value:
        """The result of the call, written down unless the same call has been before."""
        call.result.fixed = all(operand.fixed for operand in call.operands)
        operands = [v if v.number is None else (repr(v.number), v.shape) for v in call.operands]
        key = (call.function, *operands, call.axes)
        if key not in self._written:
            self._written[key] = call.result
            self._calls.append(call)
        return self._written[key]

    def apply(self, function: np.ufunc, *operands: Value | float) -> Value:
        """An element-wise call; the shapes broadcast behind the runs axis."""
        values = [v if isinstance(v, Value) else self.number(v, (1,)) for v in operands]
        ndim = max(len(value.shape) for value in values)
        values = [value.expand(ndim) for value in values]
        shape = np.broadcast_shapes(*(value.shape for value in values))
        numbers = [value.number for value in values]
        if None not in numbers:
            return self.number(float(function(*numbers)), shape)
        if function is np.multiply and numbers[0] == 1:
            values.reverse()
            numbers.reverse()
        unchanged = function in (np.multiply, np.divide, np.power) and numbers[-1] == 1
        if unchanged and values[0].dtype == self.dtype:  # x · 1, x / 1, x ** 1
            return values[0].broadcast(shape)
        result = Value(self, shape, self.dtype)
        return self._once(Call(function, tuple(values), result))

    def reduce(self, function: np.ufunc, value: Value, axes: tuple[int, ...]) -> Value:
        """`function` over `axes`, which remain with size 1."""
        if not axes:
            return value
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
        if value.number is not None:
            count = math.prod(value.shape[axis] for axis in axes)
            return self.number(value.number * (count if function is np.add else 1), shape)
        if function is np.add and len(shape) == 3 and axes == (1,) and value.shape[1] >= MANY:
            return self.matmul(self.number(1, (1, 1, value.shape[1])), value)
        result = Value(self, shape, self.dtype)
        # counted from the end, the axes stay right when `bind` drops the runs axis
        behind = tuple(axis - len(shape) for axis in axes)
        return self._once(Call(function, (value,), result, behind))

    def matmul(self, left: Value, right: Value) -> Value:
        """The product of matrices, the last two axes; the others broadcast."""
        ndim = max(len(left.shape), len(right.shape))
        left, right = self._dense(left.expand(ndim)), self._dense(right.expand(ndim))
        lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        result = Value(self, (*lead, left.shape[-2], right.shape[-1]), self.dtype)
        return self._once(Call(np.matmul, (left, right), result))

    def _dense(self, value: Value) -> Value:
        """The value with memory of its own if it is a repeated one, which BLAS cannot read."""
        if value.number is not None:
            return self.external(np.full(value.shape, value.number, self.dtype), fixed=True)
        repeated = value
        while repeated.parent is not None:
            if repeated._inverse is None:
                result = Value(self, value.shape, value.dtype)
                return self._once(Call(np.positive, (value,), result))
            repeated = repeated.parent
        return value

    def store(self, value: Value, destination: Array) -> None:
        """Has the value computed into, or copied to, `destination`."""
        if not value.place(destination):
            copy = self.external(destination)
            self._calls.append(Call(np.positive, (value,), copy))
            value = copy
        self._kept.append(value.base)

    def finish(self, outputs: Sequence[Value], forward_calls: int) -> None:
        """Gives every value its memory and makes the calls; the first ones are `forward`'s."""
        for value in outputs:
            if value.number is not None:
                value.base.array = np.full(value.base.shape, value.number, self.dtype)
            elif value.base.array is None:
                value.base.array = self._allocate(value.base.shape, value.base.dtype)
            self._kept.append(value.base)
        prepare, forward, backward = self._needed_calls(forward_calls)
        for call in prepare:
            if call.result.array is None:
                call.result.array = self._allocate(call.result.shape, call.result.dtype)
        self._assign_memory([*forward, *backward])
        self._prepare = [call.bind() for call in prepare]
        self._forward = [call.bind() for call in forward]
        self._backward = [call.bind() for call in backward]
        self.outputs = [value.memory() for value in outputs]
        self._calls, self._kept, self._written = [], [], {}
        with np.errstate(all="ignore"):
            self._prepare_fixed()  # what depends on constants alone may never be fed

    def _needed_calls(self, forward_calls: int) -> tuple[list[Call], list[Call], list[Call]]:
        """The calls that something kept depends on: of `feed`, of `forward` and of `backward`."""
        needed = set(self._kept)
        parts: tuple[list[Call], list[Call], list[Call]] = [], [], []
        for index, call in reversed(list(enumerate(self._calls))):
            if call.result in needed:
                needed.update(operand.base for operand in call.operands)
                part = 0 if call.result.fixed else 1 if index < forward_calls else 2
                parts[part].insert(0, call)
        return parts

    def _assign_memory(self, calls: Sequence[Call]) -> None:
        """Register allocation by a linear scan, with buffers for registers."""
        last_read = {
            operand.base: index for index, call in enumerate(calls) for operand in call.operands
        }
        free: dict[tuple[int, np.dtype[Any]], list[Array]] = {}
        buffers: dict[Value, Array] = {}
        for index, call in enumerate(calls):
            bases = dict.fromkeys(operand.base for operand in call.operands)
            dying = [base for base in bases if last_read[base] == index and base in buffers]
            result = call.result
            size = (math.prod(result.shape), result.dtype)
            if result.array is None:
                heir = next((base for base in dying if _may_overwrite(call, base)), None)
                if heir is not None:
                    dying.remove(heir)
                    buffers[result] = buffers[heir]
                elif free.get(size):
                    buffers[result] = free[size].pop()
                else:
                    buffers[result] = self._memory(*size)
                result.array = _arranged(buffers[result], result.shape)
            for base in dying:
                free.setdefault((buffers[base].size, base.dtype), []).append(buffers[base])

    def _allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return _arranged(self._memory(math.prod(shape), dtype), shape)

    def _memory(self, size: int, dtype: np.dtype[Any]) -> Array:
        """Zeros that begin where a cache line does: vector loads across two lines take twice."""
        memory = np.zeros(size * dtype.itemsize + CACHE_LINE, np.uint8)
        start = -memory.ctypes.data % CACHE_LINE
        flat = memory[start : start + size * dtype.itemsize].view(dtype)
        self.nbytes += flat.nbytes
        return flat


def _may_overwrite(call: Call, operand: Value) -> bool:
    same = operand.shape == call.result.shape and operand.dtype == call.result.dtype
    seen = [other for other in call.operands if other.base is operand]
    return call.elementwise and same and all(other is operand for other in seen)


def _arranged(flat: Array, shape: tuple[int, ...]) -> Array:
    """`flat` as an array of `shape`, samples (the last but one axis) contiguous."""
    if len(shape) < 3:
        return flat.reshape(shape)
    *lead, rows, columns = shape
    return flat.reshape(*lead, columns, rows).swapaxes(-1, -2)
