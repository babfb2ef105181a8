"""Where the values of a program lie.

A buffer is used again as soon as nobody reads it any more, and an element-wise call may overwrite
its own operand: so the working set stays in the cache.

A result of shape (runs, samples, features) lies in memory as (runs, features, samples). Features
are few and samples many, so element-wise calls, reductions over features and BLAS all run along
the long axis.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.graph.call import Call
from stages.graph.value import Array, Value

CACHE_LINE = 64  # bytes
FEW = 8  # features: up to here BLAS gains more from contiguous samples than it costs to feed them


class Memory:
    """The buffers of a program.

    nbytes: of all of them
    """

    def __init__(self) -> None:
        self.nbytes = 0

    def of_input(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array for an input. Many features lie as in tables.

        To copy whole rows in is then worth more than BLAS gains.
        """
        if len(shape) == 3 and shape[-1] > FEW:
            return self._flat(math.prod(shape), dtype).reshape(shape)
        return self.allocate(shape, dtype)

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of its own."""
        return arranged(self._flat(math.prod(shape), dtype), shape)

    def assign(self, calls: Sequence[Call]) -> None:
        """Gives the results of the calls their memory.

        That is register allocation by a linear scan, with buffers for registers.
        """
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
                    buffers[result] = self._flat(*size)
                result.array = arranged(buffers[result], result.shape)
            for base in dying:
                free.setdefault((buffers[base].size, base.dtype), []).append(buffers[base])

    def _flat(self, size: int, dtype: np.dtype[Any]) -> Array:
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


def arranged(flat: Array, shape: tuple[int, ...]) -> Array:
    """`flat` as an array of `shape`, samples (the last but one axis) contiguous."""
    if len(shape) < 3:
        return flat.reshape(shape)
    *lead, rows, columns = shape
    return flat.reshape(*lead, columns, rows).swapaxes(-1, -2)
