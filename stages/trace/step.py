"""A step of the training in NumPy, with everything in it kept."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from inspect import signature
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.graph import Node, Program
from stages.graph.compile import needed
from stages.task.errors import InputError
from stages.task.files import Files
from stages.task.model import Model
from stages.task.optimizers import Hyperparameters
from stages.task.table import Table, read_parts
from stages.task.training import Training
from stages.trace.arithmetic import Notes
from stages.training.optimizer import optimizer_class
from stages.training.plan import plan
from stages.training.start import start
from stages.training.twin import Twin

Array = NDArray[Any]


@dataclass(frozen=True)
class Step:
    """A step.

    number: from 1
    sample, row: which of the batch is shown, and of the training table, from 0
    samples: the size of the batch
    loss: the node
    values, gradients: of the batch, (1, ...), of each node that has one
    alone: the gradients of the parameters, by name, if the batch were the one sample
    before, after: the parameters by name
    lines: what the optimizer computes for the first parameter
    """

    task: str
    number: int
    sample: int
    row: int
    samples: int
    table: Table
    loss: Node
    values: dict[Node, Array]
    gradients: dict[Node, Array]
    alone: dict[str, Array]
    before: dict[str, Array]
    after: dict[str, Array]
    optimizer: str
    lines: list[str]


@np.errstate(all="ignore")
def take(
    task: str,
    model: Model,
    training: Training,
    optimizer: tuple[Hyperparameters, str],
    number: int,
    sample: int,
) -> Step:
    """The step of that number of a task's training, from 1; sample: of its batch, from 1.

    optimizer: its hyperparameters, and its place in params.yaml
    Raises InputError if there is no such step or sample.
    """
    if number < 1:
        raise InputError(f"--step: must be at least 1, got {number}")
    table = read_parts(Files(task))["train"]
    planned = chain.from_iterable(plan(task, training, table).epochs)
    batches = list(islice(planned, number))
    if len(batches) < number:
        raise InputError(f"--step: must be at most {len(batches)}, got {number}")
    rows = np.arange(len(table.target))[batches[-1]]
    if not 1 <= sample <= len(rows):
        raise InputError(f"--sample: must be from 1 to {len(rows)}, the batch; got {sample}")
    row = int(rows[sample - 1])

    twin = Twin(start(model, training.seed, table), model, {"train": table})
    step = twin.optimizer(*optimizer)
    kind = optimizer_class(optimizer[0].by_hand, optim, optimizer[1])
    defaults = {name: each.default for name, each in signature(kind).parameters.items()}
    notes = Notes(0, twin.parameters.size, _numbers(defaults | optimizer[0].values()))
    kept: dict[str, Any] = {}
    taken = 0

    def watched(parameters: Array, gradients: Array, closure: Callable[[], Array]) -> None:
        nonlocal taken
        taken += 1
        if taken == number:
            own = gradients.copy()
            _, alone = twin.kept(np.array([row]))
            alone.gradients()
            kept["alone"] = _copied(twin.gradients())
            kept["loss"], program = twin.kept(batches[-1])
            program.gradients()
            nodes = needed(kept["loss"].graph.nodes, [kept["loss"]])
            kept["values"] = {node: program.value(node).copy() for node in nodes}
            kept["gradients"] = dict(_gradients(program, nodes))
            gradients[:] = own
            kept["before"] = _copied(twin.state())
            notes.listens = True
        step(notes.watch(parameters, "p"), notes.watch(gradients, "g"), closure)

    for _ in twin.steps(watched, batches):
        pass
    return Step(
        task=task,
        number=number,
        sample=sample - 1,
        row=row,
        samples=len(rows),
        table=table,
        after=_copied(twin.state()),
        optimizer=_in_words(optimizer[0]),
        lines=notes.lines,
        **kept,
    )


def _copied(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


def _gradients(program: Program, nodes: list[Node]) -> Iterator[tuple[Node, Array]]:
    for node in nodes:
        with suppress(ValueError):  # the loss does not depend on it, or in steps alone
            yield node, program.gradient(node).copy()


def _in_words(optimizer: Hyperparameters) -> str:
    given = ", ".join(f"{name}={value}" for name, value in optimizer.values().items())
    return f"{optimizer.by_hand.rpartition('.')[2]}({given})"


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of the hyperparameters that are numbers, those in a list with their index."""
    found: dict[str, float] = {}
    for name, value in values.items():
        listed = isinstance(value, (list, tuple))
        parts = {f"{name}[{i}]": part for i, part in enumerate(value)} if listed else {name: value}
        found |= {n: p for n, p in parts.items() if isinstance(p, (int, float)) and p not in (0, 1)}
    return found
