"""The paths of torch's optimizers over the objective, for a process of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from stages.proofs.objective import Term, groups, objective, start_of
from stages.reference.process import Arrays, answer
from stages.task.checks import Case, OptimizerChecks
from stages.task.command import read_section
from stages.task.errors import InputError
from stages.training import twin_torch
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

    def evaluate(step: int) -> float:
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
    for _ in twin_torch.steps(evaluate, Together(optimizers), range(steps)):
        yield rows.numpy()


class Together:
    """The optimizers of several cases, which step from where all have been evaluated at once.

    parts: of each case its optimizer, its arrays, and where their gradients are evaluated
    """

    def __init__(
        self, parts: Sequence[tuple[Case, Optimizer, Sequence[Tensor], Sequence[Tensor]]]
    ) -> None:
        self._parts, self._steps = parts, 0

    def step(self, closure: Callable[[], float]) -> float:
        """One step of each; one case alone may ask for another evaluation."""
        loss = closure()
        self._steps += 1
        again = closure if len(self._parts) == 1 else None
        for case, optimizer, tensors, gradients in self._parts:
            for tensor, gradient in zip(tensors, gradients, strict=True):
                tensor.grad = gradient
            try:
                optimizer.step(again)
            except (ArithmeticError, IndexError, RuntimeError) as error:
                raise InputError(
                    f"{case.place}: torch fails at step {self._steps} of {case.variant}: {error}"
                ) from None
        return loss


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
