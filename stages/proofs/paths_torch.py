"""The paths of torch's optimizers over the objective, for a process of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.proofs.objective import Shape, Term, groups, objective, on_graph, shapes_of, start_of
from stages.reference.process import Arrays, answer
from stages.task.checks import Case, OptimizerChecks
from stages.task.command import read_section
from stages.task.errors import InputError
from stages.training import twin
from stages.training.optimizer import Step, each_run
from stages.training.optimizer_torch import torch_optimizer


@np.errstate(all="ignore")  # what diverges is to be seen
def paths(arithmetic: str, _: Arrays) -> dict[str, NDArray[Any]]:
    """(steps, n) by number of the case and dtype, "3/float32", of each that has a reference.

    NaN where a case has no part.

    arithmetic: "ieee" or "native"
    """
    checks = read_section(OptimizerChecks, "checks", "optimizers")
    cases = {n: case for n, case in enumerate(checks.cases()) if case.has_reference}
    terms = objective(checks.start, checks.samples, checks.steps, checks.seed)
    size = len(start_of(terms))
    found = {}
    with _reductions(arithmetic):
        for dtype in ("float64", "float32"):
            for number in cases:
                found[f"{number}/{dtype}"] = np.full((checks.steps, size), np.nan, dtype)
            for group, part, columns in groups(cases, terms):
                for step, rows in enumerate(train(list(group.values()), part, dtype, checks.steps)):
                    for number, row in zip(group, rows, strict=True):
                        found[f"{number}/{dtype}"][step, columns] = row
    return found


def _reductions(arithmetic: str) -> AbstractContextManager[None]:
    if arithmetic == "native":
        return nullcontext()
    from stages.reference import ieee  # takes the native kernels from the process

    return ieee.numpy_reductions()


def train(
    cases: Sequence[Case], terms: Mapping[str, Term], dtype: str, steps: int
) -> Iterator[NDArray[Any]]:
    """(cases, n) after each step."""
    graph, program, fed = on_graph(terms, len(cases), dtype)
    rows, slopes = torch.from_numpy(graph.parameters), torch.from_numpy(graph.gradients)
    optimizers = [_step(*each, terms) for each in zip(cases, rows, slopes, strict=True)]
    for _ in twin.steps(graph, program, fed, each_run(optimizers), range(steps)):
        yield graph.parameters


def _step(case: Case, row: Tensor, gradients: Tensor, terms: Mapping[str, Term]) -> Step:
    """A step of torch's optimizer on the parameters in `row`, from the `gradients`, (n,) each."""
    parts = [(row, gradients)]
    if case.scope != "element":  # else an optimizer does not see arrays
        shapes = shapes_of(terms)
        parts = list(zip(_arrays(row, shapes), _arrays(gradients, shapes), strict=True))
    optimizer = torch_optimizer(case.hyperparameters, [tensor for tensor, _ in parts], case.place)
    taken = 0

    def step(_parameters: object, _gradients: object, closure: Callable[[], float]) -> None:
        nonlocal taken
        taken += 1
        for tensor, gradient in parts:
            tensor.grad = gradient
        try:
            optimizer.step(closure if case.scope == "model" else None)
        except (ArithmeticError, IndexError, RuntimeError) as error:
            raise InputError(
                f"{case.place}: torch fails at step {taken} of {case.variant}: {error}"
            ) from None

    return step


def _arrays(row: Tensor, shapes: Sequence[Shape]) -> list[Tensor]:
    parts = row.split([prod(shape) for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


if __name__ == "__main__":
    answer(paths)
