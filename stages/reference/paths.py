"""The paths of torch's optimizers over the objective, for a process of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.comparison.objective import Term, groups, objective, start_of
from stages.reference.eager import import_compiler_on_demand
from stages.reference.optimizers import torch_optimizer
from stages.reference.process import Arrays, answer
from stages.task.params import Case, read_parameters


@np.errstate(all="ignore")  # what diverges is to be seen
def paths(arithmetic: str, _: Arrays) -> dict[str, NDArray[Any]]:
    """(steps, n) by number of the case and dtype, "3/float32", of each that has a reference.

    NaN where a case has no part.

    arithmetic: "ieee" or "native"
    """
    import_compiler_on_demand()
    checks = read_parameters().checks.optimizers
    cases = {n: case for n, case in enumerate(checks.cases()) if case.has_reference}
    terms = objective(checks.start, checks.samples, checks.steps, checks.seed)
    size = len(start_of(terms))
    found = {}
    with ExitStack() as replaced:
        if arithmetic == "ieee":
            # Its import takes the native kernels from the process.
            from stages.reference.ieee import IEEESquareRoot, NumPyReductions

            replaced.enter_context(IEEESquareRoot())
            replaced.enter_context(NumPyReductions())
        for dtype in ("float64", "float32"):
            for number in cases:
                found[f"{number}/{dtype}"] = np.full((checks.steps, size), np.nan, dtype)
            for group, part, columns in groups(cases, terms):
                for step, rows in enumerate(train(list(group.values()), part, dtype, checks.steps)):
                    for number, row in zip(group, rows, strict=True):
                        found[f"{number}/{dtype}"][step, columns] = row
    return found


def train(
    cases: Sequence[Case], terms: Mapping[str, Term], dtype: str, steps: int
) -> Iterator[NDArray[Any]]:
    """(cases, n) after each step."""
    rows = torch.from_numpy(np.tile(start_of(terms).astype(dtype), (len(cases), 1)))
    gradients, leaf = torch.empty_like(rows), rows.detach().requires_grad_()
    fed = {
        name: torch.from_numpy(term.fed.astype(dtype))
        for name, term in terms.items()
        if term.fed is not None
    }

    def formulas(step: int) -> Iterator[Tensor]:
        start = 0
        for name, term in terms.items():
            operands = []
            for shape in term.operands:
                part = leaf[:, start : start + prod(shape)]
                operands.append(part if shape else part[:, 0])
                start += prod(shape)
            yield term.formula(*operands, *([fed[name][step]] if name in fed else []))

    def evaluate() -> float:
        with torch.enable_grad():
            elements = list(formulas(step))
            total = sum((each.sum() for each in elements), start=torch.zeros((), dtype=rows.dtype))
            gradients.copy_(torch.autograd.grad(total, leaf)[0])
        return float(elements[0].detach().sum())

    optimizers = []
    for row, case in enumerate(cases):
        tensors, slopes = (_arrays(each[row], case, terms) for each in (rows, gradients))
        optimizer = torch_optimizer(case.hyperparameters, tensors, case.place)
        optimizers.append((optimizer, tensors, slopes))
    # One case alone may ask for another evaluation; several wait for each other.
    closure = evaluate if len(cases) == 1 else None
    for step in range(steps):  # noqa: B007
        evaluate()
        for optimizer, tensors, slopes in optimizers:
            for tensor, slope in zip(tensors, slopes, strict=True):
                tensor.grad = slope
            optimizer.step(closure)
        yield rows.numpy()


def _arrays(row: Tensor, case: Case, terms: Mapping[str, Term]) -> list[Tensor]:
    """The arrays that lie in a row, or the row itself where the optimizer does not see arrays."""
    if case.scope == "element":
        return [row]
    shapes = [shape for term in terms.values() for shape in term.shapes]
    parts = row.split([prod(shape) for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


if __name__ == "__main__":
    answer(paths)
