"""What README shows holds."""

import doctest
import json
import re
from pathlib import Path
from typing import Any

import yaml
from repository import ROOT, copy_repository, edit_parameters, run

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def test_the_examples_in_the_readme_hold() -> None:
    failed, examples = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert examples > 0
    assert failed == 0


def test_an_optimizer_of_ones_own(tmp_path: Path) -> None:
    (code,) = (block for block in blocks("python") if "class Lion" in block)
    checked, selected = (yaml.safe_load(block) for block in blocks("yaml") if "lion" in block)
    assert len(code.splitlines()) < 30
    copy_repository(tmp_path)
    (tmp_path / "stages/own/lion.py").write_text(code)

    def edit(parameters: dict[str, Any]) -> None:
        parameters["checks"]["optimizers"] |= {"variants": {"SGD": [{}]}, "steps": 100}
        merge(parameters, checked)
        merge(parameters, selected)

    edit_parameters(tmp_path, edit)
    run(tmp_path, "dvc", "repro", "check_optimizers", "evaluate@classification")
    (shown,) = (json.loads(f"{{{block}}}") for block in blocks("json") if "Lion" in block)
    metrics = json.loads((tmp_path / "metrics/optimizers.json").read_text())
    assert metrics["Lion"] == shown["Lion"] | {"steps": 100}

    quality = json.loads((tmp_path / "metrics/classification.json").read_text())
    assert quality["numpy"]["train_accuracy"] > 0.95
    assert quality["drift"]["loss"] < 1e-12  # torch has its gradients, and takes our steps

    (tmp_path / "stages/own/lion.py").write_text(code.replace("beta1 * self", "beta2 * self"))
    assert "train_numpy@classification" in run(tmp_path, "dvc", "status")
