"""The paths of the optimizers in text, to check an implementation in any language against.

Numbers are exact: hexadecimal floating point, "-0x1.8p+1" is -3, as C's printf writes it with %a
and strtod reads it, and Python's float.fromhex.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.proofs.objective import COLUMNS, KINDS, ROWS, Term, columns_of
from stages.task.checks import Case
from stages.task.files import write_file

Array = NDArray[Any]

REPLAYED = ("noisy", "with zeros", "of all sizes")

NUMBERS = (
    "Numbers are float64 in hexadecimal floating point, and exact. Parameters are equal to the "
    "last bit in the arithmetic of IEEE 754: no fused multiply-adds, and a square root that is "
    "rounded correctly."
)
REPLAY = (
    f"{NUMBERS} From `start` on, step t takes `gradients[t]` and leads to `variants[v].parameters"
    f"[t]`. Each of these is {len(REPLAYED)} matrices of {ROWS} rows and {COLUMNS} columns, row by "
    "row; an optimizer that works on a matrix as a whole works on each of them by itself, and one "
    "that takes single rows of a gradient takes those that are not all zero."
)
WALK = (
    f"{NUMBERS} From (x, y) = `start` on, call t leads to `variants[v].parameters[t]`. The loss is "
    "0.001 ((1 - x)^2 + 100 (y - x^2)^2), wherever it is asked for, its gradient that of "
    "backpropagation."
)


def write_vectors(
    folder: Path, cases: Sequence[Case], terms: Mapping[str, Term], paths: Mapping[str, Array]
) -> None:
    """Writes a file for each class, with the paths of its variants.

    paths: (steps, n) by number of the case and dtype: torch's where it has the class
    """
    for name in dict.fromkeys(case.name for case in cases):
        variants = {number: case for number, case in enumerate(cases) if case.name == name}
        of_model = any(case.scope == "model" for case in variants.values())
        content = _walked(terms) if of_model else _replayed(terms)
        taken = content.pop("columns")
        reference = next(iter(variants.values())).hyperparameters.by_torch
        content |= {
            "optimizer": name,
            "reference": reference,
            "variants": [
                {
                    "hyperparameters": case.hyperparameters.values(),
                    "parameters": _exact(paths[f"{number}/float64"][:, taken]),
                }
                for number, case in variants.items()
            ],
        }
        text = json.dumps(content, ensure_ascii=False)
        write_file(folder / f"{name}.json", f"{text}\n".encode())


def _replayed(terms: Mapping[str, Term]) -> dict[str, Any]:
    size = ROWS * COLUMNS
    inside = np.concatenate([np.arange(size) + size * KINDS.index(kind) for kind in REPLAYED])
    term = terms["replay"]
    assert term.fed is not None
    return {
        "format": REPLAY,
        "columns": columns_of(terms)["replay"].start + inside,
        "start": _exact(term.start[inside]),
        "gradients": _exact(term.fed[:, inside]),
    }


def _walked(terms: Mapping[str, Term]) -> dict[str, Any]:
    return {
        "format": WALK,
        "columns": columns_of(terms)["rosenbrock"],
        "start": _exact(terms["rosenbrock"].start),
    }


def _exact(numbers: Array) -> Any:
    if numbers.ndim > 1:
        return [_exact(row) for row in numbers]
    return [number.hex() for number in numbers.tolist()]
