"""What convolutions and pooling share: windows along the axes of space.

Values are (samples, channels, *space), as in torch. In memory the samples come last: then windows
are copied, compared and added up along rows that are long and contiguous, and a convolution is one
large product of matrices, whose result lies as the next one wants it.
"""

from collections.abc import Sequence

from stages.graph.operation import Shape
from stages.graph.operations.shapes import pad_value
from stages.graph.value import Order, Value

Sizes = tuple[int, ...]


def per_axis(name: str, given: int | Sequence[int], dims: int, least: int) -> Sizes:
    """A number for each axis of space, from one for all or from one for each."""
    sizes = (given,) * dims if isinstance(given, int) else tuple(given)
    if len(sizes) != dims or any(size < least for size in sizes):
        raise ValueError(
            f"{name} must be {dims} numbers from {least} on, or one for all, got {given}"
        )
    return sizes


def space(a: Shape, dims: int) -> Sizes:
    """The sizes of the axes of space."""
    names = (
        ("samples", "channels", "height", "width")
        if dims == 2
        else ("samples", "channels", "length")
    )
    if len(a) != len(names) or any(isinstance(size, str) for size in a[1:]):
        raise ValueError(f"the first operand must be ({', '.join(names)})")
    return tuple(map(int, a[2:]))


def window_counts(lengths: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes) -> Sizes:
    """How many windows fit along each axis."""
    whole = [length + 2 * more for length, more in zip(lengths, padding, strict=True)]
    if any(size > length for size, length in zip(kernel, whole, strict=True)):
        raise ValueError(f"a window of {kernel} does not fit into {tuple(whole)}, padding included")
    return tuple(
        (length - size) // step + 1
        for length, size, step in zip(whole, kernel, stride, strict=True)
    )


def samples_last(a: Value, padding: Sizes = (), fill: float = 0.0) -> Value:
    """(runs, channels, *space, samples), dense in this order, with `fill` around it in space."""
    moved = a.permute((0, *range(2, len(a.shape)), 1))
    if not any(padding):
        return moved.contiguous()
    widths = ((0, 0), *((more, more) for more in padding), (0, 0))
    return pad_value(moved, widths, fill, dense(moved))


def samples_first(a: Value) -> Value:
    """The way back, a view."""
    last = len(a.shape) - 1
    return a.permute((0, last, *range(1, last)))


def dense(a: Value) -> Order:
    """The axes in the order in which they are written."""
    return tuple(range(len(a.shape)))
