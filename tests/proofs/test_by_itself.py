"""What an optimizer does wrong alone is found, with nothing to compare it with."""

from typing import Any

import numpy as np
import pytest

from stages.proofs import by_itself
from stages.proofs.by_itself import checks_by_itself
from stages.proofs.objective import objective
from stages.proofs.paths import numpy_paths
from stages.task.checks import Case
from stages.task.optimizers import Own

TERMS = objective(start=1.2, samples=5, steps=40, seed=1)
VARIANTS: list[dict[str, Any]] = [{"lr": 0.01}, {"lr": 0.02}, {"lr": 0.1, "decay": 0.5}]


class Sign:
    """Steps of one size along the sign of the gradient."""

    def __init__(self, lr: Any = 0.01, decay: Any = 0.0) -> None:
        self.lr, self.decay = np.asarray(lr)[..., None], np.asarray(decay)[..., None]
        self.steps = 0

    def rate(self) -> Any:
        return self.lr / (1 + self.decay * self.steps)

    def __call__(self, parameters: np.ndarray, gradients: np.ndarray) -> None:
        parameters -= self.rate().astype(parameters.dtype) * np.sign(gradients)
        self.steps += 1


class Forgetful(Sign):
    def rate(self) -> Any:
        return self.lr * np.random.default_rng().uniform(0.9, 1)


class Upwards(Sign):
    def rate(self) -> Any:
        return -self.lr


class OneRateForAll(Sign):
    def __init__(self, lr: Any = 0.01, decay: Any = 0.0) -> None:
        super().__init__(np.mean(lr), np.mean(decay))


class Alone(Sign):
    def __init__(self, lr: Any = 0.01, decay: Any = 0.0) -> None:
        super().__init__(float(lr), float(decay))


def metrics(kind: type, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setattr("stages.own.kind", kind, raising=False)
    hyperparameters = [Own.model_validate({"class": "stages.own.kind"} | v) for v in VARIANTS]
    cases = [Case("Mine", "", values, "params.yaml: Mine") for values in hyperparameters]
    paths = numpy_paths(cases, TERMS, 40, "float64")
    return checks_by_itself(cases, TERMS, paths)


def test_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics(Sign, monkeypatch) == {"ulp_repeated": 0, "ulp_runs": 0, "descending": 3}


def test_one_that_does_not_do_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics(Forgetful, monkeypatch)["ulp_repeated"] > 0


def test_one_that_leads_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics(Upwards, monkeypatch)["descending"] == 0


def test_one_whose_runs_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    found = metrics(OneRateForAll, monkeypatch)
    assert found["ulp_runs"] > 0
    assert found["ulp_repeated"] == 0


def test_one_that_takes_no_arrays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = metrics(Alone, monkeypatch)
    assert found == {"ulp_repeated": 0, "descending": 3}
    assert capsys.readouterr().err.startswith("Mine takes no arrays of hyperparameters: ")


def test_variants_train_at_once_that_differ_in_numbers_alone() -> None:
    alike = by_itself._without_numbers({"lr": 0.1, "betas": (0.9, 0.99), "nesterov": True})
    assert alike == by_itself._without_numbers({"lr": 0.3, "betas": (0.5, 0.9), "nesterov": True})
    for other in (
        {"lr": 0.1, "betas": (0.9, 0.99), "nesterov": False},
        {"lr": 0.1, "nesterov": True},
        {"lr": 0.1, "betas": (0.9, 0.99, 0.5), "nesterov": True},
    ):
        assert alike != by_itself._without_numbers(other)
