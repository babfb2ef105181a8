"""What holds of every optimizer that treats each parameter by itself."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from stages import optim
from stages.optim import elementwise
from stages.task.hyperparameters import BUILT_IN

NAMES = [kind.__name__ for kind in BUILT_IN if kind.scope == "element"]
DTYPES = ("float64", "float32")
RUNS, PARAMETERS, STEPS = 8, 13, 50
EIGHT = np.linspace(0.1, 0.8, RUNS)
SOME = np.array([0, 0.9] * 4)

# Hyperparameters with a value for each run.
OF_RUNS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": EIGHT},
        {"lr": 0.1, "momentum": EIGHT},
        {"lr": 0.1, "momentum": EIGHT, "nesterov": True},
        {"lr": 0.1, "momentum": EIGHT, "nesterov": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": EIGHT},
        {"lr": 0.1, "weight_decay": EIGHT / 10},
        {"lr": EIGHT, "momentum": EIGHT[::-1], "weight_decay": EIGHT / 100, "maximize": True},
        {"lr": 0.1, "momentum": EIGHT, "dampening": EIGHT[::-1], "weight_decay": EIGHT / 10},
        {"lr": 0.1, "momentum": SOME, "weight_decay": np.array([0.1, 0] * 4)},
        {"lr": 0.1, "momentum": SOME, "dampening": 0.3},  # without effect where momentum is 0
    ],
    "Adam": [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},  # on both sides of ½, where lerp turns round
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "amsgrad": True},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": EIGHT},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1], "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": SOME / 9, "maximize": True},
        {"lr": 0.1, "weight_decay": SOME / 9, "decoupled_weight_decay": True},
    ],
    "AdamW": [
        {"lr": EIGHT},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1]},
        {"lr": 0.1, "betas": (EIGHT, 0.999), "eps": EIGHT / 100},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "amsgrad": True},
        {"lr": 0.1, "weight_decay": SOME / 9, "maximize": True},
    ],
    "Adamax": [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": EIGHT},
        {"lr": 0.1, "weight_decay": SOME / 9, "maximize": True},
    ],
    "NAdam": [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},
        {"lr": 0.1, "betas": (0.9, EIGHT)},
        {"lr": 0.1, "betas": (EIGHT, EIGHT[::-1]), "momentum_decay": EIGHT},
        {"lr": 0.1, "momentum_decay": EIGHT / 10},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1], "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": SOME / 9, "maximize": True},
    ],
    "RAdam": [
        {"lr": EIGHT},
        {"lr": 0.1, "betas": (EIGHT, 0.999)},
        {"lr": 0.1, "betas": (0.9, EIGHT)},  # rectified never, late and early
        {"lr": 0.1, "betas": (EIGHT, np.array([0, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999, 1 / 3]))},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": EIGHT},
        {"lr": EIGHT, "weight_decay": EIGHT[::-1], "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": SOME / 9, "maximize": True},
    ],
    "Adagrad": [
        {"lr": EIGHT},
        {"lr": 0.1, "lr_decay": EIGHT},
        {"lr": EIGHT, "lr_decay": EIGHT[::-1]},
        {"lr": 0.1, "weight_decay": SOME / 9},
        {"lr": 0.1, "initial_accumulator_value": EIGHT},
        {"lr": 0.1, "eps": EIGHT / 100, "weight_decay": 0.1, "maximize": True},
    ],
    "Adadelta": [
        {"lr": EIGHT},
        {"rho": EIGHT},
        {"eps": EIGHT / 100},
        {"weight_decay": SOME / 9},
        {"lr": EIGHT, "rho": EIGHT[::-1], "eps": EIGHT, "weight_decay": EIGHT, "maximize": True},
    ],
    "RMSprop": [
        {"lr": EIGHT},
        {"lr": 0.1, "alpha": EIGHT},
        {"lr": 0.1, "alpha": EIGHT, "centered": True},
        {"lr": 0.1, "eps": EIGHT / 100},
        {"lr": 0.1, "weight_decay": SOME},
        {"lr": EIGHT, "momentum": EIGHT[::-1]},
        {"lr": EIGHT, "momentum": SOME},  # lr comes before the division or after the momentum
        {"lr": 0.1, "momentum": SOME, "alpha": EIGHT, "centered": True, "maximize": True},
    ],
    "Rprop": [
        {"lr": EIGHT},
        {"lr": 0.1, "etas": (EIGHT, 1.2)},
        {"lr": 0.1, "etas": (0.5, 1 + EIGHT)},
        {"lr": 0.1, "step_sizes": (EIGHT / 10, 50.0)},
        {"lr": 0.1, "step_sizes": (1e-6, EIGHT)},
        {"lr": EIGHT, "etas": (EIGHT, 2 - EIGHT), "step_sizes": (EIGHT / 9, 1.0), "maximize": True},
    ],
    "ASGD": [
        {"lr": EIGHT},
        {"lr": 0.1, "lambd": EIGHT},
        {"lr": 0.1, "lambd": 0.3, "alpha": EIGHT},
        {"lr": 0.1, "t0": np.arange(8.0)},
        {"lr": 0.1, "weight_decay": SOME / 9},
        {"lr": EIGHT, "lambd": EIGHT, "alpha": EIGHT[::-1], "t0": 10 * EIGHT, "maximize": True},
    ],
}
VARIANTS = [(name, variant) for name, variants in OF_RUNS.items() for variant in variants]


def test_every_optimizer_is_here() -> None:
    assert list(OF_RUNS) == NAMES


def alone(value: Any, run: int) -> Any:
    """The hyperparameter of one run as a number."""
    if isinstance(value, tuple):
        return tuple(alone(part, run) for part in value)
    return float(value[run]) if isinstance(value, np.ndarray) else value


def of_every_kind(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers, some of which are infinite, none, or zero of either sign."""
    kinds = np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    noise = random.normal(size=shape) * 10.0 ** random.integers(-3, 4, shape)
    return np.where(random.random(shape) < 0.1, random.choice(kinds, shape), noise)


@pytest.mark.parametrize("finite", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_each_run_is_that_run_alone(
    name: str, variant: dict[str, Any], dtype: str, finite: bool
) -> None:
    """Parameters and state, bit for bit; and the gradients are left as they are."""
    random = np.random.default_rng(1)
    together = random.normal(size=(RUNS, PARAMETERS)).astype(dtype)
    together[:, 0] = -0.0
    single = [together[run : run + 1].copy() for run in range(RUNS)]
    of_all = getattr(optim, name)(**variant)
    of_one = [
        getattr(optim, name)(**{key: alone(value, run) for key, value in variant.items()})
        for run in range(RUNS)
    ]
    for _ in range(STEPS if finite else 5):
        gradients = random.normal(size=together.shape).astype(dtype)
        if not finite:
            gradients = of_every_kind(random, together.shape).astype(dtype)
        before = gradients.tobytes()
        with nullcontext() if finite else np.errstate(all="ignore"):
            of_all(together, gradients)
        assert together.dtype == dtype
        for run in range(RUNS):
            with nullcontext() if finite else np.errstate(all="ignore"):
                of_one[run](single[run], gradients[run : run + 1])
            assert same_numbers(together[run], single[run][0]), f"run {run}"
            for key, array in of_all.state.items():
                if key == "momentum_buffer":  # a run without momentum alone has none
                    continue
                assert same_numbers(array[run], of_one[run].state[key][0]), f"{key} of {run}"
        assert gradients.tobytes() == before


def same_numbers(left: np.ndarray, right: np.ndarray) -> bool:
    """Bit for bit, but for the bits of NaN, which mean nothing."""
    nan = np.isnan(left)
    return bool((nan == np.isnan(right)).all()) and left[~nan].tobytes() == right[~nan].tobytes()


@pytest.mark.parametrize("chunk", [1, 5, 12])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_chunks_change_no_bit(
    name: str,
    variant: dict[str, Any],
    dtype: str,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def trained() -> list[bytes]:
        """The parameters after each step, and the state after the last."""
        random = np.random.default_rng(1)
        parameters = random.normal(size=(RUNS, PARAMETERS)).astype(dtype)
        optimizer, steps = getattr(optim, name)(**variant), []
        for _ in range(20):
            optimizer(parameters, random.normal(size=parameters.shape).astype(dtype))
            steps.append(parameters.tobytes())
        return [*steps, *(array.tobytes() for array in optimizer.state.values())]

    at_once = trained()
    monkeypatch.setattr(elementwise, "CHUNK", chunk * np.dtype(dtype).itemsize)
    assert trained() == at_once


@pytest.mark.parametrize("name", NAMES)
def test_maximize_is_the_way_up(name: str) -> None:
    up, down = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    climb, descend = (getattr(optim, name)(lr=0.1, maximize=way) for way in (True, False))
    for gradient in np.random.default_rng(1).normal(size=(9, 2)):
        climb(up, gradient)
        descend(down, -gradient)
        np.testing.assert_array_equal(up, down)
    assert (up != [1, 2]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_that_of_torch_under_its_names(name: str) -> None:
    variant: dict[str, Any] = {
        "SGD": {"momentum": 0.9},
        "Adam": {"amsgrad": True},
        "AdamW": {"amsgrad": True},
        "RMSprop": {"momentum": 0.9, "centered": True},
        "ASGD": {"t0": 3},
    }.get(name, {})
    random = np.random.default_rng(1)
    ours = random.normal(size=PARAMETERS)
    theirs = torch.tensor(ours)
    optimizer = getattr(optim, name)(lr=0.1, **variant)
    torch_optimizer = getattr(torch.optim, name)([theirs], lr=0.1, **variant)
    for gradient in random.normal(size=(9, PARAMETERS)):
        optimizer(ours, gradient)
        theirs.grad = torch.tensor(gradient)
        torch_optimizer.step()
    expected = {key: value for key, value in torch_optimizer.state[theirs].items() if value.ndim}
    assert set(optimizer.state) == set(expected)
    for key, array in optimizer.state.items():
        np.testing.assert_allclose(array, expected[key], rtol=1e-6, err_msg=key)
