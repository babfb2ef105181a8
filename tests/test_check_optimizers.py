"""The stage that compares every optimizer with torch.optim: right and wrong optimizers.

It runs in processes of its own, since torch chooses its kernels when it is imported.
"""

import csv
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from repository import ROOT

from stages.task.files import read_tensors

STEPS = 40
SIGNS = [{"lr": 0.01}, {"lr": 0.02}, {"lr": 0.1, "decay": 0.5}]
VARIANTS: dict[str, Any] = {
    "SGD": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.6, "dampening": 0.3}],
    "Adam": [{"lr": 0.1}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01}],
    **{
        name: {"class": f"mine.{name}", "reference": reference, "variants": [{"lr": 0.1}]}
        for name, reference in {
            "OneBitTooMuch": "torch.optim.SGD",
            "Doubled": "torch.optim.SGD",
            "CountsOneTwice": "torch.optim.Adam",
        }.items()
    },
    "Sign": {"class": "mine.Sign", "variants": SIGNS},
    "Decaying": {"class": "mine.Sign", "reference": "theirs.Sign", "variants": SIGNS},
}

# The step at which a mistake first shows; the decay of Sign, which its reference ignores, does not
# change the first.
FIRST_DIFFERENCES = {"OneBitTooMuch": 7, "Doubled": 1, "CountsOneTwice": 2, "Decaying": 2}

# Optimizers with a mistake, and one that torch.optim does not have.
MINE = """
import numpy as np
from stages.optim import SGD, Adam

class OneBitTooMuch(SGD):
    def __call__(self, parameters, gradients):
        super().__call__(parameters, gradients)
        if self.steps == 7: parameters += np.spacing(parameters)

class Doubled(SGD):
    def __call__(self, parameters, gradients):
        super().__call__(parameters, 2 * gradients)

class CountsOneTwice(Adam):
    def __call__(self, parameters, gradients):
        super().__call__(parameters, gradients)
        self.steps += self.steps == 1

class Sign:
    def __init__(self, lr=0.01, decay=0.0):
        if not np.all(lr > 0):
            raise ValueError(f"lr must be positive, got {lr}")
        self.lr, self.decay = np.asarray(lr)[..., None], np.asarray(decay)[..., None]
        self.steps = 0

    def __call__(self, parameters, gradients):
        rate = self.lr / (1 + self.decay * self.steps)
        parameters -= rate.astype(parameters.dtype) * np.sign(gradients)
        self.steps += 1
"""
THEIRS = """
import torch

class Sign(torch.optim.Optimizer):
    def __init__(self, parameters, lr=0.01, decay=0.0):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter -= group["lr"] * parameter.grad.sign()
"""


def check(directory: Path, variants: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Runs the stage in `directory`, where the optimizers of `mine` are."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["checks"]["optimizers"] |= {"steps": STEPS, "variants": variants}
    (directory / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    (directory / "mine.py").write_text(MINE)
    models = "stages/models"  # whose options params.yaml gives
    shutil.copytree(ROOT / models, directory / models, dirs_exist_ok=True)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "stages.check_optimizers"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": f"{directory}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the stage has run."""
    directory = tmp_path_factory.mktemp("check")
    (directory / "theirs.py").write_text(THEIRS)
    done = check(directory, VARIANTS)
    assert (done.returncode, done.stdout) == (0, "")
    said = [
        rf"metrics/optimizers.json: {name}.ulp_ieee: must be 0, got \d+; first at step {step}\n"
        for name, step in FIRST_DIFFERENCES.items()
    ]
    assert re.fullmatch("".join(said), done.stderr)
    return directory


@pytest.fixture
def metrics(written: Path) -> dict[str, Any]:
    return json.loads((written / "metrics" / "optimizers.json").read_text())


@pytest.fixture
def lines(written: Path) -> list[dict[str, str]]:
    with (written / "plots" / "optimizers" / "variants.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_optimizers_of_this_project_follow_torch_bit_for_bit(metrics: dict[str, Any]) -> None:
    assert list(metrics) == list(VARIANTS)
    for name in ("SGD", "Adam"):
        native = metrics[name].pop("ulp_native")
        assert isinstance(native, int)
        same = {"variants": 2, "steps": STEPS, "ulp_ieee": 0, "first_difference": 0}
        assert metrics[name] == same
    assert native > 0  # otherwise both torch processes had the same arithmetic


@pytest.mark.parametrize("name", FIRST_DIFFERENCES)
def test_a_mistake_is_found_at_its_step(name: str, metrics: dict[str, Any]) -> None:
    assert metrics[name]["ulp_ieee"] > 0
    assert metrics[name]["first_difference"] == FIRST_DIFFERENCES[name]


def test_an_optimizer_without_a_reference_is_checked_by_itself(metrics: dict[str, Any]) -> None:
    expected = {"variants": 3, "steps": STEPS, "ulp_repeated": 0, "ulp_runs": 0, "descending": 3}
    assert metrics["Sign"] == expected


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    done = check(tmp_path, {"Decaying": VARIANTS["Decaying"]})
    message = "params.yaml: checks.optimizers.variants.Decaying: there is no module theirs\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_each_variant_has_a_line(lines: list[dict[str, str]]) -> None:
    expected = [
        ("SGD", "lr=0.1"),
        ("SGD", "lr=0.1 momentum=0.6 dampening=0.3"),
        ("Adam", "lr=0.1"),
        ("Adam", "lr=0.1 weight_decay=0.01 amsgrad=true"),
    ]
    assert [(line["optimizer"], line["variant"]) for line in lines[:4]] == expected
    assert {line["ulp_ieee"] for line in lines[:4]} == {"0"}
    decaying = [line["first_difference"] for line in lines if line["optimizer"] == "Decaying"]
    assert decaying == ["0", "0", "2"]


def test_the_paths_begin_where_they_should_and_lead_down(written: Path) -> None:
    paths = read_tensors(written / "data" / "rosenbrock.safetensors")
    compared = [f"{name}/{side}" for name in VARIANTS for side in ("numpy", "torch")]
    assert sorted(paths) == sorted({*compared} - {"Sign/torch"})
    for name, path in paths.items():
        x, y = path.T
        loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        assert path.shape == (STEPS + 1, 2)
        np.testing.assert_array_equal(path[0], [-1.5, 2.0])
        if name.partition("/")[0] in ("SGD", "Adam"):
            assert loss[-1] < loss[0], name


def adam(start: list[float], gradients: list[list[float]], variant: dict[str, Any]):
    """Adam with L2 penalty and amsgrad, from its paper, in Python's floats."""
    lr, (beta1, beta2), eps = variant["lr"], variant["betas"], variant["eps"]
    p, m, v, largest = list(start), [0.0] * len(start), [0.0] * len(start), [0.0] * len(start)
    for t, gradient in enumerate(gradients, 1):
        for i, slope in enumerate(gradient):
            g = slope + variant["weight_decay"] * p[i] if variant["weight_decay"] else slope
            m[i] += (1 - beta1) * (g - m[i])
            v[i] = beta2 * v[i] + (1 - beta2) * g * g
            largest[i] = max(largest[i], v[i])
            mean_square = largest[i] if variant["amsgrad"] else v[i]
            denominator = math.sqrt(mean_square) / math.sqrt(1 - beta2**t) + eps
            p[i] -= lr / (1 - beta1**t) * m[i] / denominator
        yield list(p)


def test_the_vectors_lead_an_implementation_without_this_project(written: Path) -> None:
    content = json.loads((written / "data" / "optimizers" / "Adam.json").read_text())
    assert (content["optimizer"], content["reference"]) == ("Adam", "torch.optim.Adam")
    start = [float.fromhex(number) for number in content["start"]]
    gradients = [[float.fromhex(number) for number in step] for step in content["gradients"]]
    assert (len(start), len(gradients)) == (36, STEPS)
    assert len(content["variants"]) == 2
    for variant in content["variants"]:
        steps = adam(start, gradients, variant["hyperparameters"])
        for expected, parameters in zip(variant["parameters"], steps, strict=True):
            assert [number.hex() for number in parameters] == expected
