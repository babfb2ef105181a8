"""The paths of torch's optimizers over the objective, for a process of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.proofs.objective import Term, groups, objective, start_of
from stages.reference.process import Arrays, answer
from stages.task.checks import Case, OptimizerChecks
from stages.task.command import read_section
from stages.task.errors import InputError
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
    gradients, leaves = torch.empty_like(rows), _leaves(rows, terms)
    fed = {
        name: torch.from_numpy(term.fed.astype(dtype))
        for name, term in terms.items()
        if term.fed is not None
    }

    def formulas(step: int) -> Iterator[Tensor]:
        for name, term in terms.items():
            operands = leaves[name]
            yield term.formula(*operands, *([fed[name][step]] if name in fed else []))

    def evaluate() -> float:
        with torch.enable_grad():
            elements = list(formulas(step))
            total = sum((each.sum() for each in elements), start=torch.zeros((), dtype=rows.dtype))
            slopes = torch.autograd.grad(total, [leaf for each in leaves.values() for leaf in each])
            torch.cat([slope.reshape(len(rows), -1) for slope in slopes], dim=1, out=gradients)
        return float(elements[0].detach().sum())

    optimizers = []
    for row, case in enumerate(cases):
        tensors, slopes = (_arrays(each[row], case, terms) for each in (rows, gradients))
        optimizer = torch_optimizer(case.hyperparameters, tensors, case.place)
        optimizers.append((case, optimizer, tensors, slopes))
    # One case alone may ask for another evaluation; several wait for each other.
    closure = evaluate if len(cases) == 1 else None
    for step in range(steps):
        evaluate()
        for case, optimizer, tensors, slopes in optimizers:
            for tensor, slope in zip(tensors, slopes, strict=True):
                tensor.grad = slope
            try:
                optimizer.step(closure)
            except (ArithmeticError, IndexError, RuntimeError) as error:
                raise InputError(
                    f"{case.place}: torch fails at step {step + 1} of {case.variant}: {error}"
                ) from None
        yield rows.numpy()


def _leaves(rows: Tensor, terms: Mapping[str, Term]) -> dict[str, list[Tensor]]:
    """The operands of each term, which lie in `rows`.

    Each is a leaf by itself, lest its gradient of -0 be added to the 0 of the rest of the row.
    """
    leaves, start = dict[str, list[Tensor]](), 0
    for name, term in terms.items():
        leaves[name] = []
        for shape in term.operands:
            part = rows[:, start : start + prod(shape)].detach()
            leaves[name].append((part if shape else part[:, 0]).requires_grad_())
            start += prod(shape)
    return leaves


def _arrays(row: Tensor, case: Case, terms: Mapping[str, Term]) -> list[Tensor]:
    """The arrays that lie in a row, or the row itself where the optimizer does not see arrays."""
    if case.scope == "element":
        return [row]
    shapes = [shape for term in terms.values() for shape in term.shapes]
    parts = row.split([prod(shape) for shape in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


if __name__ == "__main__":
    answer(paths)
