"""Writes a program down, call by call, in terms of values.

Each value is the result of one call and never changed after it. Only when the whole program is
known is every value given its memory, see stages/graph/memory.py.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from stages.graph import kernels
from stages.graph.call import Call
from stages.graph.memory import Memory
from stages.graph.node import Node
from stages.graph.program import Program
from stages.graph.value import Array, Function, Order, Value, order_of

Rounding = Callable[[Array], Callable[[], object]]

COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)
# Their results are one of the operands, its negative, or 0 or 1: nothing is rounded.
EXACT = (
    *(np.maximum, np.minimum, np.copyto, np.negative, np.logical_or, *COMPARISONS),
    *(kernels.assembled, kernels.taken, kernels.positions_of_taken, kernels.positions_of_gathered),
    kernels.rounded,
)

MANY = 16  # samples: from here on BLAS adds them up in half the time, as a product with ones


class Writer:
    """A program in the making. Equal calls are written once; numbers are computed at once."""

    def __init__(
        self, dtype: np.dtype[Any], samples: int, rounding: Rounding | None = None
    ) -> None:
        self.dtype, self.samples, self._rounding = dtype, samples, rounding
        self._memory = Memory()
        self._inputs: dict[str, Array] = {}
        self._calls: list[Call] = []
        self._written: dict[Hashable, Value] = {}
        self._integers: dict[int, Value] = {}
        self._kept: list[Value] = []

    @property
    def length(self) -> int:
        """The number of calls written so far."""
        return len(self._calls)

    def input(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
        """A value that is written from outside before `forward`, see `feed`."""
        self._inputs[name] = self._memory.of_input(shape, dtype)
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
        key = (call.function, *operands, call.axes, call.result.order, *call.options.items())
        if key not in self._written:
            self._written[key] = call.result
            self._calls.append(call)
        return self._written[key]

    def apply(self, function: Function, *operands: Value | float) -> Value:
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
        result = Value(self, shape, self.dtype, order=_order_like(shape, values))
        return self._once(Call(function, tuple(values), result))

    def call(
        self,
        function: Callable[..., object],
        operands: Sequence[Value],
        shape: tuple[int, ...],
        order: Order | None = None,
        dtype: DTypeLike | None = None,
        /,
        **options: Hashable,
    ) -> Value:
        """A call of one of stages/graph/kernels.py."""
        values = [value if value.number is None else self._written_out(value) for value in operands]
        result = Value(self, shape, dtype or self.dtype, order=order)
        return self._once(Call(function, tuple(values), result, options=options))

    def copy(self, value: Value, order: Order | None = None) -> Value:
        """The value in memory of its own, with its axes in `order`."""
        result = Value(self, value.shape, value.dtype, order=order)
        return self._once(Call(np.copyto, (value,), result))

    def reduce(self, function: np.ufunc, value: Value, axes: tuple[int, ...]) -> Value:
        """`function` over `axes`, which remain with size 1."""
        if not axes:
            return value
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
        if value.number is not None:
            count = math.prod(value.shape[axis] for axis in axes)
            number = value.number * count if function is np.add else value.number
            return self.number(number**count if function is np.multiply else number, shape)
        if function is np.add and len(shape) == 3 and axes == (1,) and value.shape[1] >= MANY:
            return self.matmul(self.number(1, (1, 1, value.shape[1])), value)
        result = Value(self, shape, self.dtype, order=_order_like(value.shape, [value]))
        # counted from the end, the axes stay right when `bind` drops the runs axis
        behind = tuple(axis - len(shape) for axis in axes)
        return self._once(Call(function, (value,), result, behind))

    def matmul(self, left: Value, right: Value) -> Value:
        """The product of matrices, the last two axes; the others broadcast."""
        ndim = max(len(left.shape), len(right.shape))
        if len(left.shape) > 3 and math.prod(right.shape[1:-2]) == 1 and ndim == len(left.shape):
            return self._one_matrix(left, right)
        left, right = self._dense(left.expand(ndim)), self._dense(right.expand(ndim))
        lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        result = Value(self, (*lead, left.shape[-2], right.shape[-1]), self.dtype)
        return self._once(Call(np.matmul, (left, right), result))

    def _one_matrix(self, left: Value, right: Value) -> Value:
        """The product of many matrices with one, as the product of all their rows with it."""
        *lead, inner = left.shape[1:]
        rows = left.reshape(math.prod(lead), inner)
        return self.matmul(rows, right.reshape(*right.shape[-2:])).reshape(*lead, right.shape[-1])

    def _dense(self, value: Value) -> Value:
        """The value, with memory of its own if it lies as BLAS cannot read it."""
        if value.number is not None:
            return self._written_out(value)
        return value if _readable_by_blas(value.sketch) else self.copy(value)

    def _written_out(self, number: Value) -> Value:
        return self.external(np.full(number.shape, number.number, self.dtype), fixed=True)

    def store(self, value: Value, destination: Array) -> None:
        """Has the value computed into, or copied to, `destination`."""
        if value.place(destination):
            self._kept.append(value.base)
        else:
            self.replace(value, destination)

    def replace(self, value: Value, destination: Array) -> None:
        """Has the value copied over `destination`, which calls before this one read."""
        copy = self.external(destination)
        self._calls.append(Call(np.copyto, (value,), copy))
        self._kept.append(copy)

    def program(
        self,
        outputs: Sequence[Value],
        forward_calls: int,
        input_names: Sequence[str],
        values: Mapping[Node, Value],
        gradients: Mapping[Node, Value],
    ) -> Program:
        """The program of all that is written, whose first calls are those of `forward`.

        values, gradients: those that are kept, to be read after `forward` and `backward`
        """
        for value in outputs:
            if value.number is None and value.base.array is None:
                base = value.base
                base.array = self._memory.allocate(base.shape, base.dtype, base.order)
        readable = [*outputs, *values.values(), *gradients.values()]
        for value in readable:
            if value.number is not None:
                value.base.array = np.full(value.base.shape, value.number, self.dtype)
            self._kept.append(value.base)
        prepare, forward, backward = self._needed_calls(forward_calls)
        for call in prepare:
            if call.result.array is None:
                result = call.result
                result.array = self._memory.allocate(result.shape, result.dtype, result.order)
        self._memory.assign([*forward, *backward], {value.base for value in readable})
        return Program(
            self._inputs,
            input_names,
            [value.memory() for value in outputs],
            [call.bind() for call in prepare],
            list(self._bound(forward)),
            list(self._bound(backward)),
            self._memory.nbytes,
            {node: value.memory() for node, value in values.items()},
            {node: value.memory() for node, value in gradients.items()},
        )

    def _bound(self, calls: Sequence[Call]) -> Iterator[Callable[[], Any]]:
        """The calls on their memory, each with what becomes of its result, if that is rounded."""
        for call in calls:
            yield call.bind()
            exact = call.function in EXACT or call.options.get("function") in EXACT
            if self._rounding is not None and not exact:
                yield self._rounding(call.result.memory())

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


def _order_like(shape: tuple[int, ...], operands: Sequence[Value]) -> Order | None:
    """The order of axes in memory of the first operand of this shape, where they are many."""
    if len(shape) > 3:
        for value in operands:
            if value.number is None and value.shape[1:] == shape[1:]:
                sketch = value.sketch
                if not _repeats(sketch):
                    return order_of(sketch)
    return None


def _repeats(array: Array) -> bool:
    pairs = zip(array.shape, array.strides, strict=True)
    return any(size > 1 and stride == 0 for size, stride in pairs)


def _readable_by_blas(array: Array) -> bool:
    """Whether rows or columns of the matrices are contiguous, and none overlap."""
    (rows, columns), (down, right) = array.shape[-2:], array.strides[-2:]
    width = array.itemsize
    return (right == width and (down >= columns * width or rows == 1)) or (
        down == width and (right >= rows * width or columns == 1)
    )
