"""Chunk by chunk, an optimizer computes what it computes at once."""

import numpy as np
import pytest

from stages import optim
from stages.optim import arithmetic
from stages.task.hyperparameters import BUILT_IN

RUNS, PARAMETERS, STEPS = 2, 13, 20
ELEMENT_WISE = [kind.__name__ for kind in BUILT_IN if kind.scope == "element"]


def trained(name: str, dtype: str) -> np.ndarray:
    """(STEPS, RUNS, PARAMETERS): the parameters after each step."""
    random = np.random.default_rng(1)
    parameters = random.normal(size=(RUNS, PARAMETERS)).astype(dtype)
    optimizer = getattr(optim, name)(lr=np.array([0.1, 0.01]))
    steps = []
    for _ in range(STEPS):
        optimizer(parameters, random.normal(size=parameters.shape).astype(dtype))
        steps.append(parameters.copy())
    return np.stack(steps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("chunk", [1, 5, 12])
@pytest.mark.parametrize("name", ELEMENT_WISE)
def test_chunks_change_no_bit(
    name: str, chunk: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = trained(name, dtype)
    monkeypatch.setattr(arithmetic, "CHUNK", chunk * np.dtype(dtype).itemsize)
    assert trained(name, dtype).tobytes() == at_once.tobytes()


def test_the_average_of_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    averages = []
    for chunk in (100, 5):
        monkeypatch.setattr(arithmetic, "CHUNK", chunk * np.dtype(float).itemsize)
        optimizer = optim.ASGD(lr=0.1, t0=3)
        parameters = np.random.default_rng(1).normal(size=(RUNS, PARAMETERS))
        for _ in range(STEPS):
            optimizer(parameters, parameters.copy())
        averages.append(optimizer.average)
    assert averages[0].tobytes() == averages[1].tobytes()
