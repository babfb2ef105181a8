"""Losses whose gradients are compared, each written for the graph and replayed in torch.

The models are small ones of every kind that params.yaml can describe, so that no task has to ask
for its own: a wider layer has more derivatives, and no others.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stages.graph.graph import Graph
from stages.graph.node import Node, apply
from stages.graph.operation import OPERATIONS, SAMPLES, Shape
from stages.models import mlp
from stages.models.network import network
from stages.models.network_torch import loss_of
from stages.models.network_torch import network as torch_network
from stages.proofs.cases import CASES
from stages.proofs.operands import TRANSPOSED, Case, Labels
from stages.reference.operations import OPERATIONS as TORCH_OPERATIONS
from stages.task.errors import InputError
from stages.task.model import Model
from stages.task.table import Table
from stages.training.start import start

Array = NDArray[Any]

RUNS, SAMPLE_COUNT = 2, 4

KINDS_OF_MODELS = list(product(mlp.ACTIVATIONS, ("half_mse", "cross_entropy")))


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


def operations() -> list[str]:
    """The names of the operations of the graph."""
    return list(OPERATIONS)


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
        numbers = {key: _with_sample_count(value) for key, value in attributes.items()}
        return TORCH_OPERATIONS[name](*operands, **numbers)  # type: ignore[no-any-return]

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
        options = {"hidden": hidden, "activation": activation}
        model = Model(source=mlp.__file__, options=options, loss=loss, dtype=dtype)
        outputs = (classes if loss == "cross_entropy" else 1,)
        net = network(model, 3, outputs, RUNS)
        values = {
            node.name: draw_labels(random, node.shape, classes)
            if node.dtype.kind == "i"
            else draw(random, node.shape, -1, 1).astype(dtype)
            for node in net.graph.nodes
            if node.name
        }
        module = torch_network(model, 3, outputs)
        gradient = partial(_model_gradient, module, loss_of(model))
        yield Formula(net.graph, net.loss, values, gradient)


def task_formulas(model: Model, train: Table, seed: int, dtype: str) -> Iterator[Formula]:
    """The model of a task, from a start of its own in each run, on some samples of the task."""
    model = model.model_copy(update={"dtype": dtype})
    shape = train.features.shape[1], train.outputs
    net = network(model, *shape, RUNS)
    starts = [start(model, seed + run, train).parameters for run in range(RUNS)]
    values = {name: np.stack([each[name] for each in starts]) for name in starts[0]}
    rows = np.random.default_rng(seed).integers(len(train.target), size=(RUNS, SAMPLE_COUNT))
    target = train.target_of_models[rows]
    if train.classes is None:
        target = target.astype(dtype)
    values |= {"x": train.features[rows].astype(dtype), "target": target}
    gradient = partial(_model_gradient, torch_network(model, *shape), loss_of(model))
    yield Formula(net.graph, net.loss, values, gradient)


def _model_gradient(
    module: nn.Module, loss: Callable[..., Tensor], values: dict[str, Tensor]
) -> Tensor:
    names = [name for name, _ in module.named_parameters()]
    module.load_state_dict({name: values[name] for name in names}, strict=False)
    module.eval()
    module.zero_grad()
    loss(module(values["x"]), values["target"]).backward()
    return _row(list(module.parameters()))


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


def _with_sample_count(attribute: Any) -> Any:
    if not isinstance(attribute, tuple):
        return attribute
    return tuple(SAMPLE_COUNT if size == SAMPLES else size for size in attribute)


def _sizes(shape: Shape) -> tuple[int, ...]:
    return RUNS, *(SAMPLE_COUNT if size == SAMPLES else int(size) for size in shape)


def refuse_what_is_not_compared() -> None:
    """Raises InputError, a line for each operation without a case or a counterpart in torch."""
    tables: dict[str, Mapping[str, object]] = {
        "CASES in stages/proofs/cases": CASES,
        "OPERATIONS in stages/reference/operations": TORCH_OPERATIONS,
    }
    missing = [
        f"{table}: is missing the graph's operation {name}"
        for table, entries in tables.items()
        for name in OPERATIONS
        if name not in entries
    ]
    if missing:
        raise InputError("\n".join(missing))
