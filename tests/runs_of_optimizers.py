"""Optimizers with one hyperparameter for each run, against each run alone."""

from typing import Any

import numpy as np

from stages.optim import SGD, Adam

RUNS, PARAMETERS, STEPS = 8, 13, 50


def alone(value: Any, run: int) -> Any:
    """The hyperparameter of one run as a number."""
    if isinstance(value, tuple):
        return tuple(alone(part, run) for part in value)
    return float(value[run]) if isinstance(value, np.ndarray) else value


def assert_runs_equal_alone(
    optimizer: type[SGD | Adam], variant: dict[str, Any], dtype: str
) -> None:
    """Every step of every run, bit for bit."""
    random = np.random.default_rng(1)
    together = random.normal(size=(RUNS, PARAMETERS)).astype(dtype)
    single = [together[run : run + 1].copy() for run in range(RUNS)]
    of_all = optimizer(**variant)
    of_one = [
        optimizer(**{name: alone(value, run) for name, value in variant.items()})
        for run in range(RUNS)
    ]
    for _ in range(STEPS):
        gradients = random.normal(size=together.shape).astype(dtype)
        of_all(together, gradients)
        assert together.dtype == dtype
        for run in range(RUNS):
            of_one[run](single[run], gradients[run : run + 1])
            assert together[run].tobytes() == single[run].tobytes(), f"run {run}"
