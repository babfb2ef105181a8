"""The stage that compares every optimizer with torch.optim: what is right, and what is not.

It runs in processes of its own, since it chooses torch's kernels when torch is imported.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT

VARIANTS = {
    "SGD": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.6, "dampening": 0.3}],
    "Adam": [{"lr": 0.1}, {"lr": 0.1, "amsgrad": True, "weight_decay": 0.01}],
}


def check(directory: Path, *command: str, steps: int = 40) -> dict[str, Any]:
    """Runs the command in `directory`, beside a params.yaml of few steps; returns the metrics."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["checks"]["optimizers"] |= {"steps": steps, "variants": VARIANTS}
    (directory / "params.yaml").write_text(yaml.safe_dump(parameters))
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    metrics: dict[str, Any] = json.loads((directory / "metrics" / "optimizers.json").read_text())
    return metrics


def test_the_optimizers_of_this_project_follow_torch_bit_for_bit(tmp_path: Path) -> None:
    metrics = check(tmp_path, "-m", "stages.check_optimizers")
    same = {"ulp_ieee": 0, "gradients_ulp_ieee": 0, "first_difference": 0}
    expected = {"variants": 2, "steps": 40, **same}
    assert metrics == {"SGD": expected, "Adam": expected}


WRONG = """
import numpy as np
import stages.check_optimizers as stage
from stages.optim import SGD, Adam
from stages.task.params import read_parameters

class {name}({name}):
    def __call__(self, parameters, gradients):
        {mistake}

stage.OPTIMIZERS = {{"sgd": SGD, "adam": Adam}}
stage.main(read_parameters().checks.optimizers)
"""

MISTAKES = {
    "one bit too much at step 7": (
        "SGD",
        "super().__call__(parameters, gradients)\n"
        "        if self.steps == 7: parameters += np.spacing(parameters)",
        7,
    ),
    "two gradients added up": ("SGD", "super().__call__(parameters, 2 * gradients)", 1),
    "a step counter that starts at 1": (
        "Adam",
        "self.steps or self._start(parameters)\n"
        "        self.steps += self.steps == 0\n"
        "        super().__call__(parameters, gradients)",
        1,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_at_its_step(mistake: str, tmp_path: Path) -> None:
    name, code, step = MISTAKES[mistake]
    metrics = check(tmp_path, "-c", WRONG.format(name=name, mistake=code), steps=10)
    assert metrics[name]["ulp_ieee"] > 0
    assert metrics[name]["first_difference"] == step
    (other,) = {"SGD", "Adam"} - {name}
    assert metrics[other]["ulp_ieee"] == 0
