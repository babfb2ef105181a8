"""What an optimizer computes for one parameter, operation by operation.

The optimizer is not asked: it computes with arrays that note which function NumPy was called for.
So the optimizer of a user can be followed, too.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SIGNS = {"add": "+", "subtract": "-", "multiply": "·", "divide": "/", "true_divide": "/"}


class Notes:
    """The operations on one element, while `listens`.

    index: of the element, in arrays of all parameters
    size: of these arrays; operations on others are not noted
    known: names of numbers, such as the hyperparameters
    lines: each operation with its numbers
    """

    def __init__(self, index: int, size: int, known: Mapping[str, float]) -> None:
        self.index, self.size, self.known = index, size, known
        self.listens = False
        self.lines: list[str] = []
        self.named: dict[int, str] = {}

    def watch(self, array: Array, name: str) -> Array:
        """The array, so that what is computed from it is noted."""
        watched = array.view(Watched)
        watched.notes = self
        self.named[_address(array)] = name
        return watched

    def take(self, operands: tuple[Any, ...]) -> list[str] | None:
        """The operands of one call in words; None if they are not of all parameters."""
        arrays = [np.asarray(operand) for operand in operands]
        if any(array.size not in (1, self.size) for array in arrays):
            return None
        return [self._word(array) for array in arrays]

    def of(self, array: Any) -> Any:
        """The element of an array, or the number that holds for all."""
        return np.asarray(array).reshape(-1)[self.index if np.size(array) > 1 else 0]

    def _word(self, array: Array) -> str:
        name, number = self.named.get(_address(array), ""), self.of(array)
        if array.size == 1 and not name:
            same = [key for key, value in self.known.items() if number == array.dtype.type(value)]
            name = same[0] if len(same) == 1 else ""
        return f"{name} {number:.7g}".strip()


class Watched(np.ndarray[Any, Any]):
    """An array that notes the functions of NumPy that are called on it."""

    notes: Notes | None = None

    def __array_finalize__(self, source: Any) -> None:
        self.notes = getattr(source, "notes", None)

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **rest: Any
    ) -> Any:
        plain = tuple(map(_plain, inputs))
        every = (a for a in (*inputs, *out) if isinstance(a, Watched))
        notes = next((array.notes for array in every if array.notes is not None), None)
        listens = notes is not None and notes.listens and method == "__call__"
        words = notes.take(plain) if notes is not None and listens else None
        given = {"out": tuple(map(_plain, out))} if out else {}
        result = getattr(ufunc, method)(*plain, **given, **rest)
        if notes is not None and words is not None:
            notes.lines.append(f"{_formula(ufunc.__name__, words)} = {notes.of(result):.7g}")
        if out:
            return out[0]
        if isinstance(result, np.ndarray) and result.ndim and notes is not None:
            watched = result.view(Watched)
            watched.notes = notes
            return watched
        return result


def _formula(function: str, operands: list[str]) -> str:
    if function not in SIGNS:
        return f"{function}({', '.join(operands)})"
    first, second = operands
    return f"{first} {SIGNS[function]} " + (f"({second})" if second.startswith("-") else second)


def _plain(array: Any) -> Any:
    return array.view(np.ndarray) if isinstance(array, Watched) else array


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])
