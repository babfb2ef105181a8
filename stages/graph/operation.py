"""What an operation of the graph is, and the table of all."""

from collections.abc import Callable, Sequence
from functools import partial

from stages.graph.value import Value

SAMPLES = "samples"
Shape = tuple[int | str, ...]


class Operation:
    """What an operation does, rule by rule.

    shape: the shape of the result from the operands' shapes; raises ValueError if they do not fit
    value: the result from the operands' values
    derivatives: for each operand its gradient, from (gradient of the result, result, *operands);
        None for an operand that has none, such as labels
    integers: the positions of operands that are integers, all others have the graph's dtype
    any_dtype: it takes integers, too, and its result is of the dtype of its operand
    variadic: any number of operands, which share one derivative; it reads (position of the operand,
        gradient of the result, result, *operands)
    """

    def __init__(
        self,
        shape: Callable[..., Shape],
        value: Callable[..., Value],
        *derivatives: Callable[..., Value] | None,
        integers: tuple[int, ...] = (),
        any_dtype: bool = False,
        variadic: bool = False,
    ) -> None:
        self.shape, self.value, self.derivatives = shape, value, derivatives
        self.integers, self.any_dtype, self.variadic = integers, any_dtype, variadic

    def derivatives_of(self, operands: int) -> Sequence[Callable[..., Value] | None]:
        """The derivative for each of so many operands."""
        if not self.variadic:
            return self.derivatives
        (derivative,) = self.derivatives
        return [derivative and partial(derivative, position) for position in range(operands)]


OPERATIONS: dict[str, Operation] = {}
