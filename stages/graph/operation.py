"""What an operation of the graph is, and the table of all."""

from collections.abc import Callable

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
    """

    def __init__(
        self,
        shape: Callable[..., Shape],
        value: Callable[..., Value],
        *derivatives: Callable[..., Value] | None,
        integers: tuple[int, ...] = (),
    ) -> None:
        self.shape, self.value, self.derivatives = shape, value, derivatives
        self.integers = integers


OPERATIONS: dict[str, Operation] = {}
