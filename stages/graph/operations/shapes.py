"""What changes a shape or takes a part: views where memory allows, and copies.

The samples stay an axis of their own, whatever their number: a shape names them by "samples".
"""

import math
from collections.abc import Sequence

import numpy as np

from stages.graph import kernels
from stages.graph.node import Node, Operand, apply
from stages.graph.operation import OPERATIONS, SAMPLES, Operation, Shape
from stages.graph.operations.arithmetic import broadcast
from stages.graph.operations.reductions import axes_of
from stages.graph.value import Order, Value

Ranges = tuple[tuple[int, int, int] | None, ...]


def _sizes_between_samples(shape: Shape) -> list[int]:
    """The product of the sizes before, between and behind the axes of samples."""
    products = [1]
    for size in shape:
        if isinstance(size, str):
            products.append(1)
        else:
            products[-1] *= size
    return products


def _reshaped(a: Shape, shape: Shape) -> Shape:
    unknown = [position for position, size in enumerate(shape) if size == -1]
    if len(unknown) > 1:
        raise ValueError(f"only one size can be -1 in {shape}")
    if any(isinstance(size, int) and size < -1 for size in shape):
        raise ValueError(f"no size can be negative in {shape}")
    known = math.prod(size for size in shape if isinstance(size, int) and size != -1)
    total = math.prod(size for size in a if isinstance(size, int))
    missing: list[int | str] = [SAMPLES] if a.count(SAMPLES) > shape.count(SAMPLES) else []
    if known and total % known == 0:
        missing.append(total // known)
    candidates = (
        [(*shape[: unknown[0]], size, *shape[unknown[0] + 1 :]) for size in missing]
        if unknown
        else [shape]
    )
    for candidate in candidates:
        if _sizes_between_samples(candidate) == _sizes_between_samples(a):
            return candidate
    samples = ", where the samples stay an axis of their own" if SAMPLES in a else ""
    raise ValueError(f"the elements do not fill {_text(shape)}{samples}")


def _text(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _numbers(a: Value, shape: Shape) -> list[int]:
    """The sizes of a shape, with the number of samples, and without -1."""
    sizes = [a.writer.samples if isinstance(size, str) else size for size in shape]
    rest = math.prod(size for size in sizes if size != -1)
    return [math.prod(a.shape[1:]) // rest if size == -1 else size for size in sizes]


def _flattened(a: Shape, start_axis: int, end_axis: int) -> Shape:
    if not a:
        return (1,)
    first, last = (axes_of(axis, len(a))[0] for axis in (start_axis, end_axis))
    if first > last:
        raise ValueError(f"axis {start_axis} comes behind axis {end_axis}")
    if SAMPLES in a[first : last + 1] and first < last:
        raise ValueError("the samples stay an axis of their own; flatten from the one behind on")
    merged = a[first] if first == last else math.prod(map(int, a[first : last + 1]))
    return (*a[:first], merged, *a[last + 1 :])


def _flatten(a: Value, start_axis: int, end_axis: int) -> Value:
    shape = _flattened(a.shape[1:], start_axis, end_axis)
    return a.reshape(*map(int, shape))


def _broadcast_to(a: Shape, shape: Shape) -> Shape:
    if broadcast(a, shape) != shape:
        raise ValueError(f"it does not broadcast to {_text(shape)}")
    return shape


def _expanded(a: Shape, axis: int | tuple[int, ...]) -> Shape:
    given = (axis,) if isinstance(axis, int) else axis
    new, sizes = axes_of(given, len(a) + len(given)), iter(a)
    return tuple(1 if i in new else next(sizes) for i in range(len(a) + len(given)))


def _new_axes(a: Value, axis: int | tuple[int, ...]) -> list[int]:
    given = (axis,) if isinstance(axis, int) else axis
    return [1 + new for new in axes_of(given, len(a.shape) - 1 + len(given))]


def _squeezed(a: Shape, axis: int | tuple[int, ...]) -> Shape:
    axes = axes_of(axis, len(a))
    if any(a[one] != 1 for one in axes):
        raise ValueError(f"axis {axis} must be of size 1")
    return tuple(size for position, size in enumerate(a) if position not in axes)


def _permuted(a: Shape, axes: tuple[int, ...]) -> Shape:
    if len(axes) != len(a):
        raise ValueError(f"axes {axes} must name each axis once")
    return tuple(a[axis] for axis in axes_of(axes, len(a)))


def _permute(a: Value, axes: tuple[int, ...]) -> Value:
    return a.permute((0, *(1 + axis for axis in axes_of(axes, len(axes)))))


def _permute_back(g: Value, axes: tuple[int, ...]) -> Value:
    return _permute(g, tuple(map(int, np.argsort(axes_of(axes, len(axes))))))


def _sliced(a: Shape, ranges: Ranges) -> Shape:
    pairs = zip(a, ranges, strict=True)
    return tuple(size if one is None else len(range(*one)) for size, one in pairs)


def _within(part: Value, whole: Value, ranges: Ranges, fill: float = 0.0) -> Value:
    """The part in its place in the shape of the whole, and `fill` elsewhere."""
    shape, order = (part.shape[0], *whole.shape[1:]), part.memory_order
    return part.writer.call(kernels.assembled, [part], shape, order, parts=(ranges,), fill=fill)


def _concatenated(*operands: Shape, axis: int) -> Shape:
    first = operands[0]
    (axis,) = axes_of(axis, len(first))
    for operand in operands:
        if operand[:axis] + operand[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise ValueError("the shapes must be equal but for the axis to join")
    if any(isinstance(operand[axis], str) for operand in operands):
        raise ValueError("the samples cannot be joined, their number is not known here")
    return (*first[:axis], sum(int(operand[axis]) for operand in operands), *first[axis + 1 :])


def _parts(operands: Sequence[Value], axis: int) -> tuple[Ranges, ...]:
    """Where the operands lie, one behind the other."""
    ndim = len(operands[0].shape) - 1
    (axis,) = axes_of(axis, ndim)
    stops = np.cumsum([operand.shape[1 + axis] for operand in operands]).tolist()
    ranges = zip([0, *stops], stops, strict=False)
    whole = [None] * ndim
    return tuple((*whole[:axis], (start, stop, 1), *whole[axis + 1 :]) for start, stop in ranges)


def _concatenate(*operands: Value, axis: int) -> Value:
    parts = _parts(operands, axis)
    place = 1 + axes_of(axis, len(operands[0].shape) - 1)[0]
    shape = list(operands[0].shape)
    shape[0] = max(operand.shape[0] for operand in operands)
    shape[place] = sum(operand.shape[place] for operand in operands)
    writer, order = operands[0].writer, operands[0].memory_order
    return writer.call(kernels.assembled, operands, tuple(shape), order, parts=parts)


def _padded(a: Shape, pad_width: tuple[tuple[int, int], ...]) -> Shape:
    if len(pad_width) != len(a):
        raise ValueError(f"pad_width needs a pair for each axis, got {len(pad_width)} of them")
    if any(width < 0 for pair in pad_width for width in pair):
        raise ValueError(f"pad_width {pad_width} must not be negative")
    pairs = list(zip(a, pad_width, strict=True))
    if any(isinstance(size, str) and sum(pair) for size, pair in pairs):
        raise ValueError("the samples cannot be padded")
    return tuple(size if isinstance(size, str) else size + sum(pair) for size, pair in pairs)


def _inner(a: Value, pad_width: tuple[tuple[int, int], ...]) -> Ranges:
    """Where in the padded value the value itself lies."""
    pairs = zip(a.shape[1:], pad_width, strict=True)
    return tuple((low, low + size, 1) if low or high else None for size, (low, high) in pairs)


def pad_value(
    a: Value,
    pad_width: tuple[tuple[int, int], ...],
    constant_values: float,
    order: Order | None = None,
) -> Value:
    """The value with constants around it; `order` of its axes in memory, by default as it lies."""
    ranges = _inner(a, pad_width)
    if not any(ranges):
        return a
    pairs = zip(a.shape[1:], pad_width, strict=True)
    shape = (a.shape[0], *(size + low + high for size, (low, high) in pairs))
    return a.writer.call(
        kernels.assembled,
        [a],
        shape,
        order or a.memory_order,
        parts=(ranges,),
        fill=float(constant_values),
    )


def _taken(a: Shape, indices: Shape, axis: int) -> Shape:
    (axis,) = axes_of(axis, len(a))
    _refuse_samples(a, axis)
    return (*a[:axis], *indices, *a[axis + 1 :])


def _refuse_samples(a: Shape, axis: int) -> None:
    if isinstance(a[axis], str):
        raise ValueError("nothing can be taken from the samples, their number is not known here")


def _taken_order(a: Value, indices: Value, axis: int) -> tuple[int, ...]:
    """The axes of what is taken as they lie in memory: those behind `axis` first."""
    own, (axis,) = len(a.shape) - 1, axes_of(axis, len(a.shape) - 1)
    stop = axis + len(indices.shape)
    return (0, *range(stop, stop + own - 1 - axis), *range(1, stop))


def _taken_positions(a: Value, indices: Value, axis: int) -> Value:
    (axis,) = axes_of(axis, len(a.shape) - 1)
    own = a.shape[1:]
    shape = (indices.shape[0], *own[:axis], *indices.shape[1:], *own[axis + 1 :])
    order = _taken_order(a, indices, axis)
    positions = a.writer.call(
        kernels.positions_of_taken, [indices], shape, order, np.intp, shape=own, axis=axis
    )
    return positions.permute(order)


def _at(a: Value, positions: Value) -> Value:
    """The elements of `a` at the positions, which count those of each run."""
    shape = (max(a.shape[0], positions.shape[0]), *positions.shape[1:])
    order = tuple(range(len(shape)))
    return a.writer.call(kernels.taken, [a.contiguous(), positions], shape, order)


def _scatter(g: Value, positions: Value, a: Value) -> Value:
    """The gradient of `a`, from that of its elements at the positions."""
    shape = (max(g.shape[0], positions.shape[0]), math.prod(a.shape[1:]))
    operands = [g.contiguous(), positions]
    return a.writer.call(kernels.scattered, operands, shape).reshape(*a.shape[1:])


def take_value(a: Value, indices: Value, axis: int) -> Value:
    """What the indices name along an axis, which counts from the one behind the runs."""
    order = _taken_order(a, indices, axis)
    taken = _at(a, _taken_positions(a, indices, axis))
    return taken.permute(map(int, np.argsort(order)))


def take_gradient(g: Value, a: Value, indices: Value, axis: int) -> Value:
    """The gradient of `a`, from that of what was taken of it."""
    order = _taken_order(a, indices, axis)
    return _scatter(g.permute(order), _taken_positions(a, indices, axis), a)


def _gathered(a: Shape, indices: Shape, axis: int) -> Shape:
    if len(a) != len(indices):
        raise ValueError("the indices need as many axes")
    (axis,) = axes_of(axis, len(a))
    _refuse_samples(a, axis)
    for position, (size, own) in enumerate(zip(indices, a, strict=True)):
        fits = size == own or (isinstance(size, int) and isinstance(own, int) and size <= own)
        if position != axis and not fits:
            raise ValueError("the indices must not be larger but along the axis to gather")
    return indices


def _gathered_positions(a: Value, indices: Value, axis: int) -> Value:
    (axis,) = axes_of(axis, len(a.shape) - 1)
    order = tuple(range(len(a.shape)))
    options = {"shape": a.shape[1:], "axis": axis}
    kernel = kernels.positions_of_gathered
    return a.writer.call(kernel, [indices], indices.shape, order, np.intp, **options)


OPERATIONS |= {
    "reshape": Operation(
        _reshaped,
        lambda a, shape: a.reshape(*_numbers(a, shape)),
        lambda g, y, a, shape: g.reshape(*a.shape[1:]),
        any_dtype=True,
    ),
    "flatten": Operation(
        _flattened,
        _flatten,
        lambda g, y, a, start_axis, end_axis: g.reshape(*a.shape[1:]),
        any_dtype=True,
    ),
    "broadcast_to": Operation(
        _broadcast_to,
        lambda a, shape: a.broadcast((a.shape[0], *_numbers(a, shape))),
        lambda g, y, a, shape: g,  # the graph sums it back
        any_dtype=True,
    ),
    "expand_dims": Operation(
        _expanded,
        lambda a, axis: a.insert(_new_axes(a, axis)),
        lambda g, y, a, axis: g.drop(_new_axes(a, axis)),
        any_dtype=True,
    ),
    "squeeze": Operation(
        _squeezed,
        lambda a, axis: a.drop(1 + one for one in axes_of(axis, len(a.shape) - 1)),
        lambda g, y, a, axis: g.insert(1 + one for one in axes_of(axis, len(a.shape) - 1)),
        any_dtype=True,
    ),
    "permute": Operation(
        _permuted, _permute, lambda g, y, a, axes: _permute_back(g, axes), any_dtype=True
    ),
    "slice": Operation(
        _sliced,
        lambda a, ranges: a.slice(ranges),
        lambda g, y, a, ranges: _within(g, a, ranges),
        any_dtype=True,
    ),
    "concatenate": Operation(
        _concatenated,
        _concatenate,
        lambda position, g, y, *operands, axis: g.slice(_parts(operands, axis)[position]),
        variadic=True,
    ),
    "pad": Operation(
        lambda a, pad_width, constant_values: _padded(a, pad_width),
        pad_value,
        lambda g, y, a, pad_width, constant_values: g.slice(_inner(a, pad_width)),
    ),
    "take": Operation(
        _taken,
        take_value,
        lambda g, y, a, k, axis: take_gradient(g, a, k, axis),
        None,
        integers=(1,),
    ),
    "gather": Operation(
        _gathered,
        lambda a, k, axis: _at(a, _gathered_positions(a, k, axis)),
        lambda g, y, a, k, axis: _scatter(g, _gathered_positions(a, k, axis), a),
        None,
        integers=(1,),
    ),
}


def reshape(a: Operand, shape: Shape) -> Node:
    """The elements in the same order in another shape, of which one size may be -1.

    The samples keep an axis of their own: of (samples, 3, 4) one can make (samples, 12) or
    (samples, 2, 6), and -1 stands for them, too.
    """
    return apply("reshape", a, shape=tuple(shape))


def flatten(a: Operand, start_axis: int = 1, end_axis: int = -1) -> Node:
    """The axes from one to another as one; by default all but the samples, as nn.Flatten."""
    return apply("flatten", a, start_axis=start_axis, end_axis=end_axis)


def broadcast_to(a: Operand, shape: Shape) -> Node:
    """`a` repeated to a shape by NumPy's rules of broadcasting."""
    return apply("broadcast_to", a, shape=tuple(shape))


def expand_dims(a: Operand, axis: int | tuple[int, ...]) -> Node:
    """`a` with axes of size 1 put in, so that they stand at `axis` of the result."""
    return apply("expand_dims", a, axis=axis)


def squeeze(a: Operand, axis: int | tuple[int, ...]) -> Node:
    """`a` without axes of size 1; raises ValueError for one of another size."""
    return apply("squeeze", a, axis=axis)


def permute(a: Operand, axes: tuple[int, ...]) -> Node:
    """The axes in another order: axis i of the result is axis `axes[i]`."""
    return apply("permute", a, axes=tuple(axes))


def movedim(a: Node, source: int, destination: int) -> Node:
    """One axis moved to another place, the others in their order."""
    (source,), (destination,) = (axes_of(axis, len(a.shape)) for axis in (source, destination))
    rest = [axis for axis in range(len(a.shape)) if axis != source]
    return permute(a, (*rest[:destination], source, *rest[destination:]))


def concatenate(operands: Sequence[Operand], axis: int = 0) -> Node:
    """The operands one behind the other along an axis, which is not that of the samples."""
    return apply("concatenate", *operands, axis=axis)


def stack(operands: Sequence[Operand], axis: int = 0) -> Node:
    """The operands, all of one shape, one behind the other along a new axis."""
    return concatenate([expand_dims(operand, axis) for operand in operands], axis)


def pad(a: Operand, pad_width: Sequence[tuple[int, int]], constant_values: float = 0.0) -> Node:
    """`a` with constants around it; pad_width: how many (before, behind) for each axis."""
    widths = tuple((low, high) for low, high in pad_width)
    return apply("pad", a, pad_width=widths, constant_values=constant_values)


def take(a: Operand, indices: Operand, axis: int = 0) -> Node:
    """What integers name along an axis, in place of which come the axes of the indices.

    An index that is not from 0 to size - 1 is refused with an IndexError when it is fed.
    """
    return apply("take", a, indices, axis=axis)


def embedding(indices: Operand, weight: Operand) -> Node:
    """A row of the weight, (rows, features), for each index: (..., features), as in torch.

    Its gradient adds up what came to a row in the order of the indices, as torch does.
    """
    return take(weight, indices, 0)


def gather(a: Operand, indices: Operand, axis: int) -> Node:
    """For each index the element that it names along `axis`, at its own place along the others.

    The indices have as many axes as `a`, none of them longer but `axis`; as in torch.gather.
    An index that is not from 0 to size - 1 is refused with an IndexError when it is fed.
    """
    return apply("gather", a, indices, axis=axis)
