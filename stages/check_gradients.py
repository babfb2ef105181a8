"""The gradient of every operation and of every kind of model, three ways.

By the graph, by torch.autograd, and by central differences, which know nothing of derivatives.
torch computes here as it does anywhere, with its own kernels for this processor.

The models are small ones of every kind that params.yaml can describe, so that no task has to ask
for its own: a wider layer has more derivatives, and no others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stages.comparison.difference import ulp_difference
from stages.graph.graph import OPERATIONS, SAMPLES, Graph, Node, Shape, apply
from stages.graph.losses import LOSSES
from stages.graph.network import ACTIVATIONS, network
from stages.graph.program import Program
from stages.reference.network import LOSSES as TORCH_LOSSES
from stages.reference.network import network as torch_network
from stages.reference.operations import OPERATIONS as TORCH_OPERATIONS
from stages.task.command import plain_errors
from stages.task.errors import InputError
from stages.task.files import write_metrics
from stages.task.params import GradientChecks, read_parameters

Array = NDArray[Any]
Metrics = dict[str, float | int | None]

RUNS, SAMPLE_COUNT = 2, 4


def main(checks: GradientChecks) -> None:
    """Writes metrics/gradients.json: for each operation, and each kind of model, the worst case.

    cases: the number of formulas, each compared in both dtypes and in several runs
    ulp: the largest distance of a partial derivative from that of torch.autograd, in units in the
        last place; where large terms cancel, that of the little which is left
    relative_error: the same for a gradient as a whole, see `relative_error`
    difference_quotient: the relative error against central differences
    ulp_float32, relative_error_float32: what the first two, which are in float64, are in float32

    A relative error that is not a finite number is null. Raises InputError for an operation that
    has no case, or no counterpart in torch.
    """
    refuse_what_is_not_compared()
    operations = {
        name: worst(partial(operation_formulas, name, checks.seed), checks.step)
        for name in OPERATIONS
    }
    models = {
        f"{activation}_{loss}": worst(
            partial(model_formulas, activation, loss, checks.seed), checks.step
        )
        for activation, loss in product(ACTIVATIONS, LOSSES)
    }
    write_metrics(Path("metrics", "gradients.json"), {"operations": operations, "models": models})


def refuse_what_is_not_compared() -> None:
    """Raises InputError, a line for each operation without a case or a counterpart in torch."""
    tables: dict[str, Mapping[str, object]] = {
        "CASES in stages/check_gradients.py": CASES,
        "OPERATIONS in stages/reference/operations.py": TORCH_OPERATIONS,
    }
    missing = [
        f"{table}: is missing the graph's operation {name}"
        for table, entries in tables.items()
        for name in OPERATIONS
        if name not in entries
    ]
    if missing:
        raise InputError("\n".join(missing))


# -------------------------------------------------------------------------------------- cases


@dataclass(frozen=True)
class Labels:
    """An operand of integers, 0 ... classes - 1."""

    shape: Shape
    classes: int


TRANSPOSED = "transposed"  # the first operand once more, seen as its transpose
Operand = Shape | float | Labels | str


@dataclass(frozen=True)
class Case:
    """What an operation is given.

    operands: for each its shape, or a number, labels, or TRANSPOSED
    attributes: those of the operation
    low, high: the range of the operands
    whole: take whole numbers, so that some are 0 and some are equal
    """

    operands: tuple[Operand, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0
    whole: bool = False


def _cases(*operands: tuple[Operand, ...], **options: Any) -> list[Case]:
    return [Case(each, **options) for each in operands]


ROWS = (SAMPLES, 3)
ONE: list[tuple[Operand, ...]] = [((),), ((3,),), ((2, 3),), ((2, 3, 2),), (ROWS,)]
TWO: list[tuple[Operand, ...]] = [
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((2, 3), ()),
    ((), (2, 3)),
    ((2, 3), 1.5),
    (1.5, (2, 3)),
    ((3, 3), TRANSPOSED),
    (ROWS, (3,)),
    ((3,), ROWS),
]
REDUCED = [
    Case((shape,), {"axis": axis, "keepdims": keepdims})
    for shape, axis in (
        ((), None),
        ((2, 3, 2), None),
        ((2, 3, 2), 1),
        ((2, 3, 2), -1),
        ((2, 3, 2), (0, 2)),
        (ROWS, None),
        (ROWS, 0),
        (ROWS, 1),
    )
    for keepdims in (False, True)
]
POSITIVE = {"low": 0.5}

CASES: dict[str, list[Case]] = {
    "add": _cases(*TWO),
    "subtract": _cases(*TWO),
    "multiply": _cases(*TWO),
    "divide": _cases(*TWO, **POSITIVE),
    "power": [
        *_cases(*TWO, **POSITIVE),
        *_cases(*(((2, 3), exponent) for exponent in (0.0, 1.0, 2.0, 3.0))),
        *_cases(*(((2, 3), exponent) for exponent in (-1.0, -0.5, 0.5)), **POSITIVE),
    ],
    "maximum": [*_cases(*TWO), *_cases(((5, 1), (5,)), ((5,), 0.0), whole=True)],
    "negative": _cases(*ONE),
    "exp": _cases(*ONE),
    "log": _cases(*ONE, **POSITIVE),
    "sqrt": _cases(*ONE, **POSITIVE),
    "tanh": _cases(*ONE),
    "sigmoid": _cases(*ONE),
    "relu": [*_cases(*ONE), *_cases(((3, 5),), whole=True)],
    "log_softmax": _cases(*ONE[1:]),
    "matmul": _cases(
        ((2, 3), (3, 2)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
        ((1, 2, 3), (2, 3, 1)),
        ((2, 1, 1, 3), (2, 3, 1)),
        ((2, 3), TRANSPOSED),
        (ROWS, (3, 2)),
        ((2, SAMPLES), ROWS),
    ),
    "transpose": _cases(*ONE[2:]),
    "sum": REDUCED,
    "mean": REDUCED,
    "half_mse": _cases(
        ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((3, 3), TRANSPOSED), (ROWS, ROWS)
    ),
    "cross_entropy": _cases(
        ((3,), Labels((), 3)),
        ((4, 3), Labels((4,), 3)),
        ((2, 3, 2), Labels((2, 3), 2)),
        ((4, 1), Labels((4,), 1)),
        (ROWS, Labels((SAMPLES,), 3)),
    ),
    "accuracy": _cases(((3,), Labels((), 3)), ((4, 3), Labels((4,), 3))),
}


# ----------------------------------------------------------------------------------- formulas


@dataclass(frozen=True)
class Formula:
    """A loss on a graph, and its gradient by torch.

    values: of parameters and inputs by name, (runs, ...) each
    torch_gradient: (parameters,), from the values of one run
    """

    graph: Graph
    loss: Node
    values: dict[str, Array]
    torch_gradient: Callable[[dict[str, Tensor]], Tensor]


def operation_formulas(name: str, seed: int, dtype: str) -> Iterator[Formula]:
    """Each case of an operation twice: its values used once, and used twice."""
    random = np.random.default_rng([seed, *name.encode()])
    for case, twice in product(CASES[name], (False, True)):
        recorder = Recorder(random, dtype)
        write = partial(_write, name=name, case=case, twice=twice)
        loss = write(recorder)
        yield Formula(recorder.graph, loss, recorder.values, partial(_replay, write))


def _write(side: "Recorder | Replay", name: str, case: Case, twice: bool) -> Any:
    """Σ factors · y. If twice, y is squared and its operands are used beside it, as views."""
    operands: list[Any] = []
    variables = []
    for operand in case.operands:
        if operand == TRANSPOSED:
            operands.append(side.apply("transpose", operands[0]))
        elif isinstance(operand, Labels):
            operands.append(side.labels(operand))
        elif isinstance(operand, tuple):
            variables.append(_variable(side, operand, case))
            operands.append(variables[-1])
        else:
            operands.append(operand)
    y = side.apply(name, *operands, **case.attributes)
    if not twice:
        return _weighted(side, y)
    views = [side.apply("transpose", v) if len(v.shape) > 1 else v for v in variables]
    return sum((_weighted(side, view) for view in views), _weighted(side, y * y))


def _variable(side: "Recorder | Replay", shape: Shape, case: Case) -> Any:
    """A parameter, or where there are samples, samples times a parameter."""
    if SAMPLES not in shape:
        return side.parameter(shape, case.low, case.high, case.whole)
    own = tuple(1 if size == SAMPLES else size for size in shape)
    return side.input(shape, case.low, case.high) * side.parameter(own, 0.5, 1.5)


def _weighted(side: "Recorder | Replay", value: Any) -> Any:
    return (value * side.input(value.shape, 0.5, 2.5)).sum()


class Recorder:
    """The graph's side of a formula: records it, and draws the value of all that it reads."""

    def __init__(self, random: np.random.Generator, dtype: str) -> None:
        self.graph = Graph(RUNS, dtype)
        self.values: dict[str, Array] = {}
        self._random = random

    def apply(self, name: str, *operands: Any, **attributes: Any) -> Node:
        return apply(name, *operands, **attributes)

    def parameter(self, shape: Any, low: float, high: float, whole: bool = False) -> Node:
        numbers = draw(self._random, shape, low, high)
        return self.graph.parameter(self._keep(np.round(numbers) if whole else numbers), shape)

    def input(self, shape: Shape, low: float, high: float) -> Node:
        return self.graph.input(self._keep(draw(self._random, shape, low, high)), shape)

    def labels(self, labels: Labels) -> Node:
        numbers = draw_labels(self._random, labels.shape, labels.classes)
        return self.graph.input(self._keep(numbers), labels.shape, numbers.dtype)

    def _keep(self, numbers: Array) -> str:
        name = str(len(self.values))
        whole = numbers.dtype.kind == "i"
        self.values[name] = numbers if whole else numbers.astype(self.graph.dtype)
        return name


class Replay:
    """torch's side of a formula: reads the values of one run in the order they were drawn."""

    def __init__(self, values: dict[str, Tensor]) -> None:
        self.parameters: list[Tensor] = []
        self._values = iter(values.values())

    def apply(self, name: str, *operands: Any, **attributes: Any) -> Tensor:
        return TORCH_OPERATIONS[name](*operands, **attributes)  # type: ignore[no-any-return]

    def parameter(self, *_: object) -> Tensor:
        self.parameters.append(next(self._values).requires_grad_())
        return self.parameters[-1]

    def input(self, *_: object) -> Tensor:
        return next(self._values)

    def labels(self, *_: object) -> Tensor:
        return next(self._values)


def _replay(write: Callable[[Replay], Tensor], values: dict[str, Tensor]) -> Tensor:
    side = Replay(values)
    loss = write(side)
    if loss.requires_grad:  # that of an accuracy does not
        loss.backward()
    return _row(side.parameters)


def model_formulas(activation: str, loss: str, seed: int, dtype: str) -> Iterator[Formula]:
    """Networks of 3 features without, with one and with two hidden layers.

    params.yaml can describe wider and deeper ones, but no other kinds of layers.
    """
    random = np.random.default_rng([seed, *activation.encode(), *loss.encode()])
    classes = 3
    for hidden in ((), (4,), (4, 3)):
        sizes = (3, *hidden, classes if loss == "cross_entropy" else 1)
        net = network(sizes, activation, loss, dtype, RUNS)
        values = {
            node.name: draw_labels(random, node.shape, classes)
            if node.dtype.kind == "i"
            else draw(random, node.shape, -1, 1).astype(dtype)
            for node in net.graph.nodes
            if node.name
        }
        model = torch_network(sizes, activation, dtype)
        yield Formula(net.graph, net.loss, values, partial(_model_gradient, model, loss))


def _model_gradient(model: nn.Module, loss: str, values: dict[str, Tensor]) -> Tensor:
    model.load_state_dict({name: values[name] for name in model.state_dict()})
    model.zero_grad()
    TORCH_LOSSES[loss](model(values["x"]), values["target"]).backward()
    return _row(list(model.parameters()))


def _row(parameters: Sequence[Tensor]) -> Tensor:
    """The gradients of all parameters, one behind the other."""
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


def draw(random: np.random.Generator, shape: Shape, low: float, high: float) -> Array:
    """(runs, *shape) of random numbers between low and high, no two of a run close to each other.

    Each is from the middle half of a part of the range of its own, so that an accuracy is nowhere
    near to another value.
    """
    sizes = _sizes(shape)
    count = prod(sizes[1:])
    parts = random.permuted(np.tile(np.arange(count), (RUNS, 1)), axis=1).reshape(sizes)
    return low + (high - low) / count * (parts + random.uniform(0.25, 0.75, sizes))


def draw_labels(random: np.random.Generator, shape: Shape, classes: int) -> Array:
    """(runs, *shape) of random integers from 0 to classes - 1."""
    return random.integers(classes, size=_sizes(shape))


def _sizes(shape: Shape) -> tuple[int, ...]:
    return RUNS, *(SAMPLE_COUNT if size == SAMPLES else int(size) for size in shape)


# --------------------------------------------------------------------------------- comparison


def worst(formulas: Callable[[str], Iterator[Formula]], step: float) -> Metrics:
    """The largest errors of all formulas, which are asked for by dtype; see `main`."""
    ulps: dict[str, list[int]] = {"float64": [], "float32": []}
    errors: dict[str, list[float]] = {"float64": [], "float32": []}
    quotient_errors = []
    for dtype in ulps:
        for formula in formulas(dtype):
            ours, theirs = graph_gradients(formula), torch_gradients(formula)
            ulps[dtype].append(ulp_difference(ours, theirs))
            errors[dtype].append(relative_error(ours, theirs))
            if dtype == "float64":
                slopes, smooth = central_differences(formula, step)
                if smooth.any():
                    quotient_errors.append(relative_error(ours, np.where(smooth, slopes, ours)))
    return {
        "cases": len(ulps["float64"]),
        "ulp": max(ulps["float64"]),
        "relative_error": _largest(errors["float64"]),
        "difference_quotient": _largest(quotient_errors),
        "ulp_float32": max(ulps["float32"]),
        "relative_error_float32": _largest(errors["float32"]),
    }


def graph_gradients(formula: Formula) -> Array:
    """(runs, parameters) by the graph."""
    program = _compiled(formula, formula.loss, differentiate=True)
    program.forward()
    program.backward()
    return formula.graph.gradients


def _compiled(formula: Formula, *outputs: Node, differentiate: bool = False) -> Program:
    """The program of some nodes of the formula, ready to run on its values."""
    graph = formula.graph
    program = graph.compile(*outputs, samples=SAMPLE_COUNT, differentiate=differentiate)
    for name, rows in graph.views(graph.parameters).items():
        np.copyto(rows, formula.values[name])
    program.feed(**formula.values)
    return program


def torch_gradients(formula: Formula) -> Array:
    """(runs, parameters) by torch.autograd, one run after the other."""
    runs = [
        {name: torch.tensor(v[run]) for name, v in formula.values.items()} for run in range(RUNS)
    ]
    return np.stack([formula.torch_gradient(values).numpy() for values in runs])


# At 0 of these numbers, made of its operands, an operation has a kink.
KINKS: dict[str, Callable[..., Node]] = {"relu": lambda a: a, "maximum": lambda a, b: a - b}


def central_differences(formula: Formula, step: float) -> tuple[Array, Array]:
    """The slope of the loss along every parameter, and where it stands for the derivative.

    (8 (f(x + h) - f(x - h)) - (f(x + 2h) - f(x - 2h))) / 12h differs from f'(x) by h⁴/30 · f⁽⁵⁾(x),
    and by about ε/h · f(x) for rounding. It says nothing where a kink lies within x ± 2h.

    Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
    Mathematics of Computation 51 (1988), table 1, the central one of order 4.

    returns: (runs, parameters), of float64 and of booleans
    """
    graph = formula.graph
    kinks = [KINKS[node.operation](*node.inputs) for node in graph.nodes if node.operation in KINKS]
    program = _compiled(formula, formula.loss, *kinks)
    parameters = graph.parameters
    slopes, smooth = np.zeros_like(parameters), np.ones(parameters.shape, bool)
    _, sides = _evaluate(program)
    for column in range(parameters.shape[1]):
        middle = parameters[:, column].copy()
        for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            parameters[:, column] = middle + shift * step
            loss, shifted_sides = _evaluate(program)
            slopes[:, column] += weight * loss
            for side, shifted in zip(sides, shifted_sides, strict=True):
                smooth[:, column] &= (side == shifted).all(axis=1)
        parameters[:, column] = middle
    return slopes / (12 * step), smooth


def _evaluate(program: Program) -> tuple[Array, list[Array]]:
    """The loss, (runs,), and on which side of its kinks it is, (runs or 1, ...) each."""
    program.forward()
    loss, *kinks = program.outputs
    return loss, [np.sign(kink).reshape(len(kink), -1) for kink in kinks]


def relative_error(gradients: Array, others: Array) -> float:
    """The largest difference of two numbers of a run, relative to the run's largest gradient.

    A gradient is one vector. Its small components carry the rounding errors of the terms that
    cancelled out in them; divided by themselves, errors that no training would notice would look
    large. Where all gradients of a run are exactly 0 the difference itself counts.

    gradients, others: (runs, parameters)
    """
    largest = np.abs(gradients).max(axis=1)
    differences = np.abs(gradients - others).max(axis=1)
    return float(np.max(differences / np.where(largest == 0, 1, largest)))


def _largest(errors: Sequence[float]) -> float | None:
    largest = float(np.max(errors)) if errors else np.nan
    return largest if isfinite(largest) else None


if __name__ == "__main__":
    with plain_errors():
        main(read_parameters().checks.gradients)
