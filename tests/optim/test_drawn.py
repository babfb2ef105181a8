"""Hyperparameters drawn from all that params.yaml allows: each optimizer is torch's, bit for bit.

As a program, in a process of its own since torch chooses its kernels once, this file draws them and
ends with the first that leads astray.
"""

import warnings
from collections.abc import Sequence
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.proofs.difference import ulp_differences
from stages.proofs.objective import groups, objective
from stages.proofs.paths import numpy_paths
from stages.reference.process import answer, start
from stages.task.checks import Case
from stages.task.hyperparameters import BUILT_IN
from stages.task.optimizers import Hyperparameters

STEPS = 30  # no mistake of mistakes.py takes longer than 19 to be found
# Of each class so many cases, and fewer where a step takes long.
CASES = {kind.__name__: 40 for kind in BUILT_IN}
CASES |= {"Adafactor": 12, "SparseAdam": 12, "Muon": 4, "LBFGS": 12}

TELLING = [0.0, 1e-30, 1e-10, 1e-3, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999, 1.0, 2.0, 20.0, 1e5, 1e15]
SMALLEST = 1e-30  # but 0: what is 0 in float32 and not in float64 is another number there
LARGEST_RATE = 0.9999  # of those below 1: if it is 1 in float32, torch divides by 0
LARGEST_COUNT = 7  # of iterations, and of what is remembered


def values_of(annotation: Any, bounds: Sequence[object] = ()) -> st.SearchStrategy[Any]:
    """What the type of a hyperparameter allows, by the bounds in its annotations."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values_of(parts[0], [*bounds, *parts[1:]])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.tuples(*map(values_of, parts))
    if parts:  # a union
        return st.one_of(*map(values_of, parts))
    if annotation in (bool, NoneType):
        return st.from_type(annotation)

    def allowed(value: float) -> bool:
        if value != 0 and abs(value) < SMALLEST:
            return False
        for bound in bounds:
            match bound:
                case Gt(least):
                    holds = value > least
                case Ge(least):
                    holds = value >= least
                case Lt(1):
                    holds = value <= LARGEST_RATE
                case Lt(most):
                    holds = value < most
                case Le(most):
                    holds = value <= most
                case _:
                    continue
            if not holds:
                return False
        return True

    if annotation is int:
        return st.integers(0, LARGEST_COUNT).filter(allowed)
    assert annotation is float
    numbers = [number for size in TELLING for number in (size, -size) if allowed(number)]
    return st.sampled_from(numbers) | st.floats(-1, 1).filter(allowed)


def hyperparameters(kind: type[Hyperparameters]) -> st.SearchStrategy[Hyperparameters]:
    def together(drawn: dict[str, Any]) -> Hyperparameters:
        match kind.__name__:
            case "SGD" if drawn["nesterov"]:
                drawn |= {"dampening": 0.0, "momentum": drawn["momentum"] or 0.5}
            case "Rprop":
                drawn["etas"] = min(drawn["etas"][0], 0.9), max(drawn["etas"][1], 1.1)
            case "ASGD":  # a power that overflows ends torch, and a complex one makes it warn
                drawn["lambd"], drawn["alpha"] = abs(drawn["lambd"]), np.clip(drawn["alpha"], -3, 3)
        return kind(**drawn)

    fields = kind.model_fields.items()
    values = {name: values_of(field.annotation, field.metadata) for name, field in fields}
    return st.fixed_dictionaries(values).map(together)


def drawn_cases(kind: type[Hyperparameters]) -> list[Case]:
    found: dict[str, Case] = {}

    @settings(
        max_examples=CASES[kind.__name__],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(hyperparameters(kind))
    def collect(drawn: Hyperparameters) -> None:
        text = str(drawn.values())
        found[text] = Case(kind.__name__, text, drawn, kind.__name__)

    collect()
    return list(found.values())


def differences(*_: object) -> dict[str, np.ndarray]:
    """How many cases of each class are the same."""
    from stages.proofs.paths_torch import train
    from stages.reference.eager import import_compiler_on_demand
    from stages.reference.ieee import numpy_reductions

    import_compiler_on_demand()
    warnings.simplefilter("ignore")  # of what is not finite
    terms = objective(1.2, 5, STEPS, seed=1)
    same = {}
    with numpy_reductions():
        for kind in BUILT_IN:
            cases = drawn_cases(kind)
            for dtype in ("float64", "float32"):
                ours = numpy_paths(cases, terms, STEPS, dtype)
                theirs = np.full_like(ours, np.nan)
                for group, part, columns in groups(dict(enumerate(cases)), terms):
                    for step, rows in enumerate(train([*group.values()], part, dtype, STEPS)):
                        theirs[[*group], step, columns] = rows
                for case, path, expected in zip(cases, ours, theirs, strict=True):
                    differ = ulp_differences(path, expected).any(axis=-1)
                    wrong = f"{case.name} {case.variant} {dtype}, step {differ.argmax() + 1}"
                    assert not differ.any(), wrong
            same[kind.__name__] = np.array(len(cases))
    return same


def test_whatever_is_drawn_follows_torch_bit_for_bit() -> None:
    with start("tests.optim.test_drawn", "ieee", None, {}) as process:
        same = process.result()
    for name, count in same.items():
        assert 0.7 * CASES[name] <= count <= CASES[name]  # some are drawn twice


if __name__ == "__main__":
    answer(differences)
