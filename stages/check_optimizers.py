"""Every variant of every optimizer against torch.optim, step by step.

Both sides walk over the same objective from the same start, each where its own steps lead, along
gradients of the graph. torch does so twice, in processes of its own: in the arithmetic of IEEE 754,
where nothing may differ, and with its usual kernels.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.proofs.by_itself import checks_by_itself
from stages.proofs.claims import claims_of_optimizers, say_what_fails
from stages.proofs.difference import ulp_along_paths, ulp_differences
from stages.proofs.objective import Term, columns_of, objective
from stages.proofs.paths import numpy_paths
from stages.proofs.vectors import write_vectors
from stages.reference.process import start
from stages.task.checks import Case, OptimizerChecks
from stages.task.command import run
from stages.task.files import write_metrics
from stages.task.optimizers import Own
from stages.task.variants import Variant, write_variants
from stages.task.walks import Walks, write_walks

Array = NDArray[Any]
Paths = Mapping[str, Array]  # (steps, n) by number of the case and dtype
DTYPES = ("float64", "float32")
Measures = dict[str, int | None]


def main(optimizers: OptimizerChecks) -> None:
    """Writes metrics/optimizers.json, and what is drawn and replayed elsewhere; says what differs.

    Of each class the worst of its variants, see `compare`; without a reference there is nothing to
    compare. A class of the user's own has, too, what stages/proofs/by_itself.py measures.
    """
    cases = optimizers.cases()
    terms = objective(optimizers.start, optimizers.samples, optimizers.steps, optimizers.seed)
    with (
        start("stages.proofs.paths_torch", "ieee", "ieee", {}) as ieee,
        start("stages.proofs.paths_torch", "native", "native", {}) as native,
    ):
        ours = {
            f"{number}/{dtype}": path
            for dtype in DTYPES
            for number, path in enumerate(numpy_paths(cases, terms, optimizers.steps, dtype))
        }
        theirs = {"ieee": ieee.result(), "native": native.result()}
    compared = [compare(number, case, ours, **theirs) for number, case in enumerate(cases)]
    metrics: dict[str, Measures] = {}
    for name in dict.fromkeys(case.name for case in cases):
        variants = {number: case for number, case in enumerate(cases) if case.name == name}
        metrics[name] = {"variants": len(variants), "steps": optimizers.steps}
        metrics[name] |= worst([compared[number] for number in variants])
        if any(isinstance(case.hyperparameters, Own) for case in variants.values()):
            paths = np.array([ours[f"{number}/float64"] for number in variants])
            metrics[name] |= checks_by_itself(list(variants.values()), terms, paths)
    write_metrics(Path("metrics", "optimizers.json"), metrics)
    say_what_fails(claims_of_optimizers(metrics))
    write_variants(Path("plots", "optimizers", "variants.csv"), compared)
    walks = rosenbrock_walks(cases, terms, ours, theirs["ieee"])
    write_walks(Path("data", "rosenbrock.safetensors"), walks)
    write_vectors(Path("data", "optimizers"), cases, terms, {**ours, **theirs["ieee"]})


def compare(number: int, case: Case, ours: Paths, ieee: Paths, native: Paths) -> Variant:
    """How far the parameters of a case are from torch's at most, in all terms and both dtypes.

    The difference from native torch is in units in the last place of the largest value so far, see
    `ulp_along_paths`.
    """
    if not case.has_reference:
        return Variant(case.name, case.variant, None, None, None)
    names = [f"{number}/{dtype}" for dtype in DTYPES]
    in_ieee = np.concatenate([ulp_differences(ours[name], ieee[name]) for name in names], axis=1)
    in_native = max(ulp_along_paths(ours[name], native[name]) for name in names)
    differing = np.flatnonzero(in_ieee.any(axis=1))
    return Variant(
        case.name,
        case.variant,
        ulp_ieee=int(in_ieee.max()),
        ulp_native=math.ceil(in_native) if math.isfinite(in_native) else None,
        first_difference=int(differing[0]) + 1 if len(differing) else 0,
    )


def worst(variants: Sequence[Variant]) -> Measures:
    """The largest differences of all variants, and the first step at which one differs."""
    compared = [variant for variant in variants if variant.ulp_ieee is not None]
    if not compared:
        return {}
    native = [variant.ulp_native for variant in compared]
    steps = [variant.first_difference for variant in compared if variant.first_difference]
    return {
        "ulp_ieee": max(variant.ulp_ieee or 0 for variant in compared),
        "ulp_native": None if None in native else max(number or 0 for number in native),
        "first_difference": min(steps, default=0),
    }


def rosenbrock_walks(
    cases: Sequence[Case], terms: Mapping[str, Term], ours: Paths, theirs: Paths
) -> Walks:
    """The way of each class's first variant over Rosenbrock's function, start included."""
    columns = columns_of(terms)["rosenbrock"]
    walks: dict[str, dict[str, Array]] = {}
    for number, case in enumerate(cases):
        if case.name not in walks:
            walks[case.name] = {
                twin: np.vstack([terms["rosenbrock"].start, paths[name][:, columns]])
                for twin, paths in (("numpy", ours), ("torch", theirs))
                if (name := f"{number}/float64") in paths
            }
    return walks


if __name__ == "__main__":
    run(main)
