"""Formulas read the same for a node of a graph and for a value of a program."""

from typing import Any, Self


class Arithmetic:
    """The operators of Python, each passed on by NumPy's name for it."""

    __array_ufunc__ = None  # an array on the left leaves `array * self` to this side

    def _operate(self, name: str, *operands: Any) -> Self:
        raise NotImplementedError

    def __add__(self, other: Any) -> Self:
        return self._operate("add", self, other)

    def __radd__(self, other: Any) -> Self:
        return self._operate("add", other, self)

    def __sub__(self, other: Any) -> Self:
        return self._operate("subtract", self, other)

    def __rsub__(self, other: Any) -> Self:
        return self._operate("subtract", other, self)

    def __mul__(self, other: Any) -> Self:
        return self._operate("multiply", self, other)

    def __rmul__(self, other: Any) -> Self:
        return self._operate("multiply", other, self)

    def __truediv__(self, other: Any) -> Self:
        return self._operate("divide", self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._operate("divide", other, self)

    def __pow__(self, other: Any) -> Self:
        return self._operate("power", self, other)

    def __rpow__(self, other: Any) -> Self:
        return self._operate("power", other, self)

    def __matmul__(self, other: Any) -> Self:
        return self._operate("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Self:
        return self._operate("matmul", other, self)

    def __abs__(self) -> Self:
        return self._operate("absolute", self)

    def __lt__(self, other: Any) -> Self:
        return self._operate("less", self, other)

    def __le__(self, other: Any) -> Self:
        return self._operate("less_equal", self, other)

    def __gt__(self, other: Any) -> Self:
        return self._operate("greater", self, other)

    def __ge__(self, other: Any) -> Self:
        return self._operate("greater_equal", self, other)

    def __neg__(self) -> Self:
        return self._operate("negative", self)
