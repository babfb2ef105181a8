"""Hyperparameters that change between steps: torch's path bit for bit, refusals, and runs.

As a program, in a process of its own since torch must be told its arithmetic before it is imported,
this file changes one hyperparameter after the other, in each class and in torch's, and prints where
they part.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from repository import printed_by

from stages import optim
from stages.optim import elementwise
from stages.optim.sparse_adam import Rows
from stages.task.hyperparameters import BUILT_IN

# What the hyperparameters may become; tried in all classes that have them.
VALUES: dict[str, list[Any]] = {
    "lr": [0.1, 0.003, 0.5, 1.0],
    "momentum": [0.0, 0.9, 0.3],
    "dampening": [0.0, 0.5],
    "weight_decay": [0.0, 0.3, 0.01],
    "nesterov": [True, False],
    "maximize": [True, False],
    "betas": [(0.9, 0.999), (0.3, 0.7), (0.0, 0.99)],
    "eps": [1e-8, 1e-3, 0.5],
    "amsgrad": [True, False],
    "decoupled_weight_decay": [True, False],
    "momentum_decay": [4e-3, 0.1, 0.0],
    "lr_decay": [0.0, 0.1, 2.0],
    "rho": [0.9, 0.1],
    "alpha": [0.99, 0.4],
    "centered": [True, False],
    "etas": [(0.5, 1.2), (0.1, 3.0)],
    "step_sizes": [(1e-6, 50.0), (0.01, 0.1)],
    "lambd": [1e-4, 0.3, 0.0],
    "t0": [0.0, 3.0, 20.0, 1e6],
    "beta2_decay": [-0.8, -0.1],
    "d": [1.0, 3.0],
    "ns_coefficients": [(3.4445, -4.7750, 2.0315), (2.0, -1.5, 0.5)],
    "ns_steps": [5, 1],
    "adjust_lr_fn": ["original", "match_rms_adamw", None],
    "max_iter": [4, 1, 6],
    "max_eval": [5, 2, 20],
    "tolerance_grad": [1e-7, 1e-1],
    "tolerance_change": [1e-9, 1e-3],
    "line_search_fn": ["strong_wolfe", None],
}
OWN_VALUES: dict[str, dict[str, list[Any]]] = {
    "Adafactor": {"eps": [(None, 1e-3), (1e-3, 0.5), (0.1, 1e-3)]},
    "SparseAdam": {"eps": [1e-8, 1e-3]},
    "Muon": {"eps": [1e-7, 10.0]},
    "ASGD": {"alpha": [0.75, 0.1]},
    "RMSprop": {
        "centered": [False]
    },  # on again, an old mean would lead to roots of what is below 0
}
# What is read once, by torch too; what has to be on from the start.
READ_ONCE = {
    "Adagrad": "initial_accumulator_value",
    "Rprop": "lr",
    "LBFGS": "history_size",
}
START: dict[str, dict[str, Any]] = {
    "Adam": {"amsgrad": True},
    "AdamW": {"amsgrad": True},
    "RMSprop": {"centered": True, "momentum": 0.3},
}
SHAPES = {"Adafactor": (5, 7), "SparseAdam": (5, 3), "Muon": (5, 7), "LBFGS": (6,)}
STEPS = 80


def changes(name: str, seed: int = 1) -> list[tuple[str, Any]]:
    """What becomes of which hyperparameter before each step; the same often before two."""
    random = np.random.default_rng(seed)
    table = VALUES | OWN_VALUES.get(name, {})
    optimizer = getattr(optim, name)()
    names = [each for each in optimizer.values() if each in table and each != READ_ONCE.get(name)]
    found = []
    for _ in range(STEPS):
        which = names[random.integers(len(names))]
        found.append((which, table[which][random.integers(len(table[which]))]))
    return found


def difference(name: str, shape: tuple[int, ...], dtype: str) -> str | None:
    """Where our parameters differ from torch's for the first time, in any bit."""
    import torch

    random = np.random.default_rng(2)
    p = random.normal(size=shape).astype(dtype)
    start, g = p.copy(), np.zeros_like(p)
    theirs = torch.tensor(p, requires_grad=True)
    optimizer = getattr(optim, name)(**START.get(name, {}))
    torch_optimizer = getattr(torch.optim, name)([theirs], **START.get(name, {}))
    (group,) = torch_optimizer.param_groups
    curvatures = np.linspace(0.1, 1, p.size).astype(dtype).reshape(shape)

    def closure(theta: np.ndarray) -> tuple[float, np.ndarray]:
        return float((curvatures * theta * theta).sum()), 2 * curvatures * theta

    def ours_closure() -> float:
        loss, g[:] = closure(p)
        return loss

    def torch_closure() -> float:
        loss, gradient = closure(theirs.detach().numpy())
        theirs.grad = torch.from_numpy(gradient)
        return loss

    for step, (which, value) in enumerate(changes(name)):
        try:
            setattr(optimizer, which, value)
            group[which] = value
        except ValueError:
            if name != "SGD":  # where nesterov needs a momentum, which torch sees to at first only
                raise
        g[:] = random.normal(size=shape)
        theirs.grad = torch.tensor(g)
        if name == "LBFGS":
            p += g  # so that there is always something to do
            with torch.no_grad():
                theirs += theirs.grad
            optimizer(p, g, ours_closure)
            torch_optimizer.step(torch_closure)
        elif name == "SparseAdam":
            indices = np.flatnonzero(random.integers(0, 2, len(p)))
            optimizer(p, Rows(indices, g[indices]))
            sparse = torch.from_numpy(indices[None]), torch.from_numpy(g[indices])
            theirs.grad = torch.sparse_coo_tensor(*sparse, shape, check_invariants=False)
            torch_optimizer.step()
        else:
            optimizer(p, g)
            torch_optimizer.step()
        if p.tobytes() != theirs.detach().numpy().tobytes():
            return f"step {step + 1}, when {which} has become {value}"
    return None if (p != start).any() and np.isfinite(p).all() else "nothing moves"


def main() -> None:
    """Prints {class, shape, dtype: where it differs, or null}."""
    from stages.reference.ieee import numpy_reductions, torch

    torch.set_num_threads(1)
    elementwise.CHUNK = 320  # bytes, so that (50,) are several chunks, which divide it unevenly
    with numpy_reductions(), np.errstate(all="ignore"):
        print(
            json.dumps(
                {
                    f"{kind.__name__} {dtype}": difference(
                        kind.__name__, SHAPES.get(kind.__name__, (50,)), dtype
                    )
                    for kind in BUILT_IN
                    for dtype in ("float64", "float32")
                }
            )
        )


def test_a_hyperparameter_that_changes_counts_from_the_next_step_as_in_torch() -> None:
    differences = printed_by(__file__)
    assert len(differences) == 2 * len(BUILT_IN)
    assert {case: where for case, where in differences.items() if where} == {}


def test_every_hyperparameter_changes_in_the_test_above() -> None:
    for kind in BUILT_IN:
        name = kind.__name__
        names = {which for which, _ in changes(name)}
        assert names == set(getattr(optim, name)().values()) - {READ_ONCE.get(name)}, name


@pytest.mark.parametrize("count", [3, 40_000])
def test_a_learning_rate_of_zero_stops_at_once(count: int) -> None:
    """Whatever the size: 32,768 numbers of float64 are a chunk."""
    for kind in BUILT_IN:
        if kind.scope != "element" or kind.__name__ == "Rprop":
            continue
        optimizer = getattr(optim, kind.__name__)()
        p = np.ones(count)
        optimizer(p, np.ones(count))
        optimizer.lr = 0.0
        if kind.__name__ == "ASGD":  # torch has computed the next rate already
            optimizer(p, np.ones(count))
        before = p.copy()
        optimizer(p, np.ones(count))
        np.testing.assert_array_equal(p, before, err_msg=kind.__name__)


SOME = np.array([0, 0.3, 0, 0.9])
RUN_CHANGES: dict[str, list[Any]] = {
    "lr": [0.1, np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.5, 0, 0, 0.01])],
    "momentum": [0.0, SOME, 0.9, SOME[::-1]],
    "weight_decay": [SOME, 0.0, SOME[::-1] / 9, 0.1],
    "betas": [(SOME, 0.9), (0.9, SOME), (0.9, 0.999), (SOME[::-1], SOME)],
    "eps": [1e-8, SOME, 1e-3],
}


def of_run(value: Any, run: int) -> Any:
    if isinstance(value, tuple):
        return tuple(of_run(part, run) for part in value)
    return float(value[run]) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("kind", [k for k in BUILT_IN if k.scope == "element"])
def test_runs_whose_hyperparameters_change_are_what_they_are_alone(kind: Any) -> None:
    name = kind.__name__
    random = np.random.default_rng(3)
    start: dict[str, Any] = {"momentum": 0.5} if name == "RMSprop" else {}
    of_all = getattr(optim, name)(**start)
    of_one = [getattr(optim, name)(**start) for _ in SOME]
    together = random.normal(size=(len(SOME), 7))
    single = [row[None].copy() for row in together]
    table = {
        which: values
        for which, values in RUN_CHANGES.items()
        if which in of_all.values() and which != READ_ONCE.get(name)
    }
    with np.errstate(all="ignore"):
        for step in range(60):
            if step and table:
                which = list(table)[random.integers(len(table))]
                value = table[which][random.integers(len(table[which]))]
                setattr(of_all, which, value)
                for run, each in enumerate(of_one):
                    setattr(each, which, of_run(value, run))
            gradients = random.normal(size=together.shape)
            of_all(together, gradients)
            for run, each in enumerate(of_one):
                each(single[run], gradients[run : run + 1])
                assert together[run].tobytes() == single[run].tobytes(), f"run {run}"


@pytest.mark.parametrize(
    ("name", "before", "which", "value", "message"),
    [
        ("SGD", {}, "lr", -1.0, "lr must be at least 0, got -1.0"),
        ("Adam", {}, "betas", (0.9, 1.0), "betas[1] must be less than 1, got 1.0"),
        ("SGD", {}, "lr", [0.1, 0.2], "lr must be a number, or an array with one for each run; "),
        ("SGD", {}, "nesterov", True, "nesterov needs momentum greater than 0 and dampening 0, "),
        (
            "SGD",
            {"momentum": 0.9, "nesterov": True},
            "momentum",
            0.0,
            "nesterov needs momentum greater than 0 and dampening 0, got momentum 0.0 and ",
        ),
        ("Adam", {}, "amsgrad", True, "amsgrad must be on from the first step, got True after it"),
        ("RMSprop", {}, "centered", True, "centered must be on from the first step, got True "),
        ("RMSprop", {}, "momentum", 0.9, "momentum cannot begin after the first step, got 0.9 "),
        ("Rprop", {}, "lr", 0.1, "lr cannot change after the first step: it is where step sizes "),
        (
            "Adagrad",
            {},
            "initial_accumulator_value",
            1.0,
            "initial_accumulator_value cannot change: it is where the sum began",
        ),
    ],
)
def test_what_cannot_be_assigned_changes_nothing(
    name: str, before: dict[str, Any], which: str, value: Any, message: str
) -> None:
    optimizer = getattr(optim, name)(**before)
    optimizer(np.ones(2), np.ones(2))
    values = optimizer.values()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        setattr(optimizer, which, value)
    assert optimizer.values() == values


def test_history_size_cannot_be_assigned_after_the_first_step() -> None:
    optimizer, p, g = optim.LBFGS(), np.ones(2), np.ones(2)
    optimizer.history_size = 3
    optimizer(p, g, lambda: 1.0)
    message = r"^history_size cannot change after the first step, got 4 in place of 3$"
    with pytest.raises(ValueError, match=message):
        optimizer.history_size = 4


@pytest.mark.parametrize("change", [lambda lr: lr.fill(0), lambda lr: lr.__imul__(0)])
def test_an_array_that_was_given_is_the_optimizers_own(change: Callable[..., Any]) -> None:
    lr = np.array([0.1, 0.2])
    optimizer = optim.SGD(lr=lr)
    change(lr)
    np.testing.assert_array_equal(optimizer.lr, [0.1, 0.2])
    with pytest.raises(ValueError, match="read-only"):
        change(optimizer.lr)


if __name__ == "__main__":
    main()
