"""The paths of the optimizers by hand over the objective."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.proofs.objective import Term, groups, on_graph, shapes_of, start_of
from stages.task.checks import Case
from stages.training import twin
from stages.training.optimizer import each_run, model_optimizer

Array = NDArray[Any]


def numpy_paths(cases: Sequence[Case], terms: Mapping[str, Term], steps: int, dtype: str) -> Array:
    """(cases, steps, n): the parameters of each case after each step; NaN where it has no part."""
    found = np.full((len(cases), steps, len(start_of(terms))), np.nan, dtype)
    with np.errstate(all="ignore"):  # what diverges has to diverge as in torch
        for group, part, columns in groups(dict(enumerate(cases)), terms):
            for step, rows in enumerate(train(list(group.values()), part, dtype, steps)):
                found[list(group), step, columns] = rows
    return found


def train(
    cases: Sequence[Case], terms: Mapping[str, Term], dtype: str, steps: int
) -> Iterator[Array]:
    """(cases, n) after each step."""
    graph, program, fed = on_graph(terms, len(cases), dtype)
    shapes = shapes_of(terms)
    optimizers = [
        model_optimizer(case.hyperparameters, optim, shapes, case.place) for case in cases
    ]
    for _ in twin.steps(graph, program, fed, each_run(optimizers), range(steps)):
        yield graph.parameters
