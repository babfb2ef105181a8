"""A step in words and numbers, line by line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.graph import SAMPLES, Node
from stages.graph.formula import formula, is_number, names
from stages.graph.operation import OPERATIONS
from stages.trace.rules import rule
from stages.trace.step import Step

Array = NDArray[Any]

FEW = 6  # numbers that are all shown
ROWS, COLUMNS = 2, 3  # that are shown of more
WIDEST = 48  # characters of a cell that others are aligned with


def written(step: Step, theirs: Mapping[str, Array]) -> Iterator[str]:
    """The lines to print; theirs: PyTorch's numbers, see step_torch.py."""
    name = names(step.values)
    yield f"{step.task}, step {step.number}: sample {step.sample + 1} of {step.samples}"
    yield _sample(step)
    yield ""
    yield "Forward, for this sample; the loss for all of the batch"
    yield from _in_columns(_forward(step, name))
    yield ""
    yield "Backward: ∂y is the gradient of the loss with respect to y"
    yield from _in_columns(_backward(step, name))
    yield ""
    yield f"The gradient of this sample alone, divided by the {step.samples} samples of the batch"
    alone = {parameter: shown(array / step.samples) for parameter, array in step.alone.items()}
    yield from _in_columns((f"∂{parameter}", f"= {told}") for parameter, told in alone.items())
    yield ""
    yield from _update(step)
    yield ""
    yield "NumPy and PyTorch, each trained by itself so far: the first number of each"
    yield from _in_columns(_beside(step, theirs))


def _sample(step: Step) -> str:
    features = zip(step.table.feature_names, step.table.features[step.row].ravel(), strict=False)
    told = ", ".join(f"{name} {number:.7g}" for name, number in list(features)[:FEW])
    target, classes = step.table.target[step.row], step.table.classes
    if np.ndim(target):
        label = shown(np.asarray(target))
    else:
        label = f"{target:.7g}" if classes is None else classes[int(target)]
    return f"row {step.row + 1} of the training table: {told}; {step.table.target_name} {label}"


def _forward(step: Step, name: Mapping[Node, str]) -> Iterator[tuple[str, ...]]:
    for node, value in step.values.items():
        told = f"= {shown(_of(step, node, value))}"
        operands = {o: _of(step, o, step.values[o]) for o in _operands(step, node)}
        if not node.inputs:
            if not is_number(node):
                yield name[node], told
        elif node is step.loss or any(number.size > 1 for number in operands.values()):
            yield name[node], f"= {formula(node, name)}", told
        else:
            numbers = {operand: shown(number) for operand, number in operands.items()}
            yield name[node], f"= {formula(node, name)}", f"= {formula(node, numbers)}", told


def _backward(step: Step, name: Mapping[Node, str]) -> Iterator[tuple[str, ...]]:
    rules: dict[Node, list[str]] = {step.loss: ["1"]}
    for node in reversed(step.values):
        if node in rules:
            told = shown(_of(step, node, step.gradients[node]))
            yield f"∂{name[node]}", f"= {' + '.join(rules[node])}", f"= {told}"
            for operand, part in _handed_on(step, node, name):
                rules.setdefault(operand, []).append(part)


def _handed_on(step: Step, node: Node, name: Mapping[Node, str]) -> Iterator[tuple[Node, str]]:
    """What a node hands on to each of its operands, in the names of the nodes."""
    operands = _operands(step, node)
    if not operands:
        return
    derivatives = OPERATIONS[node.operation].derivatives_of(len(operands))
    words = [f"∂{name[node]}", name[node], *(name[operand] for operand in operands)]
    for operand, derivative in zip(operands, derivatives, strict=True):
        if operand.needs_gradient and derivative is not None:
            told = rule(derivative, words, node.attributes)
            for other in operands:
                size = prod(step.samples if n == SAMPLES else int(n) for n in other.shape)
                told = told.replace(f"size({name[other]})", str(size))
            repeated = SAMPLES in node.shape and SAMPLES not in operand.shape
            # a product of matrices adds up the batch by itself
            yield operand, f"sum of {told} over the batch" if repeated and "@" not in told else told


def _operands(step: Step, node: Node) -> list[Node]:
    """What is read to compute a node: `choose` has operands that are not."""
    return [operand for operand in node.inputs if operand in step.values]


def _update(step: Step) -> Iterator[str]:
    parameter = next(iter(step.before))
    first = f"{parameter}[{', '.join('0' * step.before[parameter].ndim)}]"
    yield f"{step.optimizer}, for p = {first} and g = its gradient"
    yield from (f"  {line}" for line in step.lines)
    if not step.lines:
        yield "  computes with whole arrays, which are not shown"
    before, after = (values[parameter].reshape(-1)[0] for values in (step.before, step.after))
    yield f"  p was {before:.7g}, and is now {after:.7g}"


def _beside(step: Step, theirs: Mapping[str, Array]) -> Iterator[tuple[str, ...]]:
    yield "", "NumPy", "PyTorch", "largest difference"
    gradients = {f"∂{node.name}": array for node, array in step.gradients.items() if node.name}
    after = {f"{parameter} after the step": array for parameter, array in step.after.items()}
    for name, array in {"loss": step.values[step.loss], **gradients, **after}.items():
        ours, other = array.ravel(), theirs[name.removesuffix(" after the step")].ravel()
        apart = np.abs(ours.astype(np.float64) - other.astype(np.float64)).max()
        both = (f"{numbers[0]:.17g}" for numbers in (ours, other))
        yield name, *both, f"{apart:.1e}" if apart else "0"


def _of(step: Step, node: Node, array: Array) -> Array:
    """What of a value belongs to the sample: its part of it, or all."""
    whole = np.asarray(array[0])
    return np.asarray(whole[step.sample]) if node.shape[:1] == (SAMPLES,) else whole


def shown(array: Array) -> str:
    """All of a few numbers; of more a corner, and their mean and range."""
    if array.size == 1:
        return f"{array.reshape(-1)[0]:.7g}"
    if array.size <= FEW:
        return _listed(array, array.shape)
    few = (slice(ROWS), slice(COLUMNS))[-array.ndim :]
    index: tuple[Any, ...] = (*[0] * (array.ndim - len(few)), *few)
    corner = array[index]
    sizes, low, high = " × ".join(map(str, array.shape)), array.min(), array.max()
    text = f"{_listed(corner, array.shape[-2:])} {sizes}"
    return f"{text}, mean {array.mean():.4g}, from {low:.4g} to {high:.4g}"


def _listed(corner: Array, whole: Sequence[int]) -> str:
    """Some numbers, with dots where there are more in the whole."""
    parts = [f"{part:.4g}" if part.ndim == 0 else _listed(part, whole[1:]) for part in corner]
    return f"[{', '.join(parts)}{', …' if len(parts) < whole[0] else ''}]"


def _in_columns(given: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Rows of cells, each column but the last of a row as wide as its longest cell."""
    rows = list(given)
    widths = [
        max((len(row[column]) for row in rows if len(row[column:]) > 1), default=0)
        for column in range(max(map(len, rows)))
    ]
    for row in rows:
        cells = (cell.ljust(min(width, WIDEST)) for cell, width in zip(row, widths, strict=False))
        yield f"  {'  '.join(cells)}".rstrip()
