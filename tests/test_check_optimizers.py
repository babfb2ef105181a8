"""The stage that compares every optimizer with torch.optim: what is right, and what is not.

It runs in processes of its own, since torch chooses its kernels when it is imported.
"""

import csv
import json
import math
import os
import re
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
VARIANTS: dict[str, Any] = {
    "SGD": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.6, "dampening": 0.3}],
    "Adam": [{"lr": 0.1}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01}],
}
SAME = {"variants": 2, "steps": STEPS, "ulp_ieee": 0, "first_difference": 0}


def run(directory: Path, *command: str, variants: dict[str, Any] = VARIANTS, steps: int = STEPS):
    """Runs the command in `directory`, beside a params.yaml with these variants."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["checks"]["optimizers"] |= {"steps": steps, "variants": variants}
    (directory / "params.yaml").write_text(yaml.safe_dump(parameters))
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": f"{directory}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )


def check(directory: Path, *command: str, says: str = "", **parameters: Any) -> dict[str, Any]:
    done = run(directory, *command, **parameters)
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(says, done.stderr)
    metrics: dict[str, Any] = json.loads((directory / "metrics" / "optimizers.json").read_text())
    return metrics


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the stage has run."""
    directory = tmp_path_factory.mktemp("check")
    check(directory, "-m", "stages.check_optimizers")
    return directory


def test_the_optimizers_of_this_project_follow_torch_bit_for_bit(written: Path) -> None:
    metrics = json.loads((written / "metrics" / "optimizers.json").read_text())
    native = {name: values.pop("ulp_native") for name, values in metrics.items()}
    assert metrics == {"SGD": SAME, "Adam": SAME}
    assert all(isinstance(ulp, int) for ulp in native.values())
    assert native["Adam"] > 0  # else both processes of torch had the same arithmetic


def test_each_variant_has_a_line(written: Path) -> None:
    with (written / "plots" / "optimizers" / "variants.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["optimizer"], line["variant"]) for line in lines] == [
        ("SGD", "lr=0.1"),
        ("SGD", "lr=0.1 momentum=0.6 dampening=0.3"),
        ("Adam", "lr=0.1"),
        ("Adam", "lr=0.1 weight_decay=0.01 amsgrad=true"),
    ]
    assert {line["ulp_ieee"] for line in lines} == {"0"}


def test_the_paths_begin_where_they_should_and_lead_down(written: Path) -> None:
    paths = read_tensors(written / "data" / "rosenbrock.safetensors")
    assert sorted(paths) == ["Adam/numpy", "Adam/torch", "SGD/numpy", "SGD/torch"]
    for name, path in paths.items():
        x, y = path.T
        loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        assert path.shape == (STEPS + 1, 2)
        np.testing.assert_array_equal(path[0], [-1.5, 2.0])
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


WRONG = """
import stages.check_optimizers as stage
from stages import optim
import numpy as np

class {name}(optim.{name}):
    def __call__(self, parameters, gradients):
        {mistake}

optim.{name} = {name}
stage.run(stage.main)
"""

MISTAKES = {
    "one bit too much at step 7": (
        "SGD",
        "super().__call__(parameters, gradients)\n"
        "        if self.steps == 7: parameters += np.spacing(parameters)",
        7,
    ),
    "two gradients added up": ("SGD", "super().__call__(parameters, 2 * gradients)", 1),
    "a first step that counts twice": (
        "Adam",
        "super().__call__(parameters, gradients)\n        self.steps += self.steps == 1",
        2,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_at_its_step(mistake: str, tmp_path: Path) -> None:
    name, code, step = MISTAKES[mistake]
    says = rf"metrics/optimizers.json: {name}.ulp_ieee: must be 0, got \d+; first at step {step}\n"
    metrics = check(tmp_path, "-c", WRONG.format(name=name, mistake=code), says=says, steps=10)
    assert metrics[name]["ulp_ieee"] > 0
    assert metrics[name]["first_difference"] == step
    (other,) = {"SGD", "Adam"} - {name}
    assert metrics[other]["ulp_ieee"] == 0


# ------------------------------------------------------------------- an optimizer of one's own

SIGN = """
import numpy as np

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
TORCH_SIGN = """
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


def own(**changes: Any) -> dict[str, Any]:
    variants = [{"lr": 0.01}, {"lr": 0.02}, {"lr": 0.1, "decay": 0.5}]
    return {"Sign": {"class": "mine.Sign", "variants": variants} | changes}


def test_an_optimizer_without_a_reference_is_checked_by_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SIGN)
    metrics = check(tmp_path, "-m", "stages.check_optimizers", variants=own())
    expected = {"variants": 3, "steps": STEPS, "ulp_repeated": 0, "ulp_runs": 0, "descending": 3}
    assert metrics == {"Sign": expected}


def test_an_optimizer_with_a_reference_is_compared_with_that(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SIGN)
    (tmp_path / "theirs.py").write_text(TORCH_SIGN)
    variants, says = (
        own(reference="theirs.Sign"),
        r".*: Sign.ulp_ieee: must be 0, got \d+; first at step 2\n",
    )
    metrics = check(tmp_path, "-m", "stages.check_optimizers", variants=variants, says=says)
    # The third variant has a decay, of which the reference takes no notice from step 2 on.
    assert metrics["Sign"]["first_difference"] == 2
    with (tmp_path / "plots" / "optimizers" / "variants.csv").open() as file:
        assert [line["first_difference"] for line in csv.DictReader(file)] == ["0", "0", "2"]


def test_what_is_missing_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SIGN)
    done = run(tmp_path, "-m", "stages.check_optimizers", variants=own(reference="theirs.Sign"))
    message = "params.yaml: checks.optimizers.variants.Sign: there is no module theirs\n"
    assert (done.returncode, done.stderr) == (1, message)
