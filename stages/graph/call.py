"""One call of NumPy, in the form that costs NumPy least."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from stages.graph.value import Array, Function, Value


@dataclass(frozen=True)
class Call:
    """One NumPy call: `function(*operands, out=result)`, or a reduction over `axes`.

    function: of NumPy, or one of stages/graph/kernels.py, which takes `options`
    """

    function: Function
    operands: tuple[Value, ...]
    result: Value
    axes: tuple[int, ...] = ()
    options: Mapping[str, Hashable] = field(default_factory=dict)

    @property
    def elementwise(self) -> bool:
        """Whether element i of the result needs no more than element i of each operand."""
        ufunc = isinstance(self.function, np.ufunc) and self.function is not np.matmul
        return ufunc and not self.axes

    def bind(self) -> Callable[[], Any]:
        """The call on the memory of its values, in the form that costs NumPy least."""
        arrays = [self._array(operand) for operand in self.operands]
        arrays.append(self.result.memory())
        if self.function is np.copyto:
            return partial(np.copyto, arrays[1], arrays[0])
        if not isinstance(self.function, np.ufunc):
            return partial(self.function, *arrays[:-1], out=arrays[-1], **self.options)
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
        if self.function in (np.maximum, np.minimum):  # those that want `out` by name
            return partial(self.function, *operands, out=out)
        return partial(self.function, *operands, out)

    def _array(self, operand: Value) -> Array:
        if operand.number is None:
            return operand.memory()
        return np.asarray(operand.number, self.result.dtype)


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
