"""Where the values of a program lie.

A buffer is used again as soon as nobody reads it any more, and an element-wise call may overwrite
its own operand: so the working set stays in the cache.

A result of shape (runs, samples, features) lies in memory as (runs, features, samples). Features
are few and samples many, so element-wise calls, reductions over features and BLAS all run along
the long axis.

Whoever writes a result may give it another order of axes: convolutions have images lie as
(runs, channels, height, width, samples), for the same reasons. What is computed element by element
from values of three axes and more, the runs apart, lies as they do.
"""

import math
from collections.abc import Sequence, Set
from typing import Any

import numpy as np

from stages.graph.call import Call
from stages.graph.value import Array, Value, arranged

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

    def allocate(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], order: tuple[int, ...] | None = None
    ) -> Array:
        """An array of its own."""
        return arranged(self._flat(math.prod(shape), dtype), shape, order)

    def assign(self, calls: Sequence[Call], kept: Set[Value]) -> None:
        """Gives the results of the calls their memory; nothing overwrites those in `kept`.

        That is register allocation by a linear scan, with buffers for registers.
        """
        last_read = {
            operand.base: index for index, call in enumerate(calls) for operand in call.operands
        }
        free: dict[tuple[int, np.dtype[Any]], list[Array]] = {}
        buffers: dict[Value, Array] = {}
        for index, call in enumerate(calls):
            bases = dict.fromkeys(operand.base for operand in call.operands)
            read = [base for base in bases if last_read[base] == index and base in buffers]
            dying = [base for base in read if base not in kept]
            result = call.result
            size = (math.prod(result.shape), result.dtype)
            if result.array is None:
                heir = next((base for base in dying if _may_overwrite(call, base, buffers)), None)
                if heir is not None:
                    dying.remove(heir)
                    buffers[result] = buffers[heir]
                elif free.get(size):
                    buffers[result] = free[size].pop()
                else:
                    buffers[result] = self._flat(*size)
                result.array = arranged(buffers[result], result.shape, result.order)
            for base in dying:
                free.setdefault((buffers[base].size, base.dtype), []).append(buffers[base])

    def _flat(self, size: int, dtype: np.dtype[Any]) -> Array:
        """Zeros that begin where a cache line does: vector loads across two lines take twice."""
        memory = np.zeros(size * dtype.itemsize + CACHE_LINE, np.uint8)
        start = -memory.ctypes.data % CACHE_LINE
        flat = memory[start : start + size * dtype.itemsize].view(dtype)
        self.nbytes += flat.nbytes
        return flat


def _may_overwrite(call: Call, base: Value, buffers: dict[Value, Array]) -> bool:
    """Whether each element of the result lies where the one of the operand does that it is of."""
    size, dtype = math.prod(call.result.shape), call.result.dtype
    if not call.elementwise or base.dtype != dtype or buffers[base].size != size:
        return False
    result = arranged(buffers[base], call.result.shape, call.result.order)
    return all(_alike(v.memory(), result) for v in call.operands if v.base is base)


def _alike(one: Array, other: Array) -> bool:
    steps = [
        [stride for size, stride in zip(array.shape, array.strides, strict=True) if size > 1]
        for array in (one, other)
    ]
    return one.shape == other.shape and steps[0] == steps[1]
