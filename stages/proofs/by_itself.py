"""What an optimizer of the user's own must hold by itself, with a reference in torch or without.

It must do the same again when it is run again, it must lead down, and it should take arrays of
hyperparameters, one value for each run, and compute in each run what it computes alone.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages import optim
from stages.proofs.difference import ulp_difference
from stages.proofs.objective import Term, columns_of
from stages.proofs.paths import numpy_paths
from stages.task.checks import Case
from stages.task.errors import InputError
from stages.training.optimizer import construct, optimizer_class

Array = NDArray[Any]
WALKED = ("parabola", "quadratic", "rosenbrock")  # the terms that have a minimum


def checks_by_itself(
    cases: Sequence[Case], terms: Mapping[str, Term], paths: Array
) -> dict[str, int]:
    """The metrics of one optimizer.

    cases: its variants
    paths: (cases, steps, n), their paths as `numpy_paths` has found them

    ulp_repeated: how far the paths are from those of a second time
    ulp_runs: how far they are from those of all variants at once, with arrays of hyperparameters;
        missing, with a line on stderr, where the class takes none
    descending: the variants that end lower than they began, in each term that they walk down
    """
    again = numpy_paths(cases, terms, paths.shape[1], str(paths.dtype))
    metrics = {"ulp_repeated": ulp_difference(paths, again)}
    columns = columns_of(terms)["replay"]
    try:
        at_once = paths_at_once(cases, terms["replay"], str(paths.dtype))
        metrics["ulp_runs"] = ulp_difference(paths[:, :, columns], at_once)
    except (TypeError, ValueError, InputError) as error:
        sys.stderr.write(f"{cases[0].name} takes no arrays of hyperparameters: {error}\n")
    return metrics | {"descending": sum(_descends(terms, path[-1]) for path in paths)}


def paths_at_once(cases: Sequence[Case], term: Term, dtype: str) -> Array:
    """(cases, steps, n) as with one optimizer for all cases that differ in numbers alone."""
    assert term.fed is not None
    gradients = term.fed.astype(dtype)
    found = np.empty((len(cases), *gradients.shape), dtype)
    alike: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        alike.setdefault(str(_without_numbers(case.hyperparameters.values())), []).append(number)
    for members in alike.values():
        variants = [cases[member].hyperparameters.values() for member in members]
        arrays = {name: _stacked([each[name] for each in variants]) for name in variants[0]}
        kind = optimizer_class(cases[0].hyperparameters.by_hand, optim, cases[0].place)
        optimizer = construct(kind, arrays, cases[0].place)
        rows = np.tile(term.start.astype(dtype), (len(members), 1))
        for step, gradient in enumerate(gradients):
            optimizer(rows, np.tile(gradient, (len(members), 1)))
            found[members, step] = rows
    return found


def _without_numbers(value: Any) -> Any:
    """What two variants have to share."""
    if isinstance(value, dict):
        return {name: _without_numbers(each) for name, each in sorted(value.items())}
    if isinstance(value, tuple):
        return tuple(map(_without_numbers, value))
    return None if isinstance(value, float) else value


def _stacked(values: Sequence[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(_stacked(part) for part in zip(*values, strict=True))
    return np.array(values) if isinstance(values[0], float) else values[0]


def _descends(terms: Mapping[str, Term], end: Array) -> bool:
    columns = columns_of(terms)
    return all(
        terms[name].loss(end[columns[name]]) < terms[name].loss(terms[name].start)
        for name in WALKED
    )
