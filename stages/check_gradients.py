"""The gradient of every operation and of every kind of model, three ways.

By the graph, by torch.autograd, and by central differences, which know nothing of derivatives.
torch computes here as it does anywhere, with its own kernels for this processor.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from math import isfinite
from pathlib import Path

import numpy as np

from stages.files.metrics import write_metrics
from stages.graph.graph import OPERATIONS
from stages.graph.losses import LOSSES
from stages.models.mlp import ACTIVATIONS
from stages.params.command import run
from stages.params.errors import InputError
from stages.proofs.checks import GradientChecks
from stages.proofs.claims import claims_of_gradients, say_what_fails
from stages.proofs.difference import ulp_difference
from stages.proofs.formulas import Formula, model_formulas, operation_formulas
from stages.proofs.gradients import (
    central_differences,
    graph_gradients,
    relative_error,
    torch_gradients,
)
from stages.proofs.operands import CASES
from stages.reference.operations import OPERATIONS as TORCH_OPERATIONS

Metrics = dict[str, float | int | None]


def main(gradients: GradientChecks) -> None:
    """Writes metrics/gradients.json: for each operation, and each kind of model, the worst case.

    A gradient that is wrong is said, too.

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
        name: worst(partial(operation_formulas, name, gradients.seed), gradients.step)
        for name in OPERATIONS
    }
    models = {
        f"{activation}_{loss}": worst(
            partial(model_formulas, activation, loss, gradients.seed), gradients.step
        )
        for activation, loss in product(ACTIVATIONS, LOSSES)
    }
    metrics = {"operations": operations, "models": models}
    write_metrics(Path("metrics", "gradients.json"), metrics)
    say_what_fails(claims_of_gradients(metrics))


def refuse_what_is_not_compared() -> None:
    """Raises InputError, a line for each operation without a case or a counterpart in torch."""
    tables: dict[str, Mapping[str, object]] = {
        "CASES in stages/proofs/operands.py": CASES,
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


def _largest(errors: Sequence[float]) -> float | None:
    largest = float(np.max(errors)) if errors else np.nan
    return largest if isfinite(largest) else None


if __name__ == "__main__":
    run(main)
