"""The pipeline as its users run it: in copies of this repository, with short trainings."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import commit, copy_repository, edit_parameters, remove_task, run

TASK_STAGES = [
    *["generate", "split", "train_numpy", "train_torch", "evaluate", "draw"],
    *["sweep", "draw_sweep"],
]
CHECK_STAGES = ["check_gradients", "check_optimizers", "check_training", "draw_checks"]
LAST = ["report"]
TRAINED_STAGES = ["train_numpy", "train_torch", "evaluate", "draw"]


def stages_run(output: str) -> list[str]:
    return sorted(re.findall(r"Running stage '(.*)'", output))


def shorten(parameters: dict[str, Any]) -> None:
    """Two tasks are enough, and so are a few epochs."""
    remove_task(parameters, "moons")
    for name, task in parameters["tasks"].items():
        task["training"] |= {"epochs": 3, "snapshots": 3}
        parameters["sweeps"][name] = {"seeds": 2, "repeated": 1}
    parameters["learning_rates"] = {"sgd": [0.01, 0.1]}
    checks = parameters["checks"]
    checks["training"] |= {"steps": 3, "drift_steps": 3}
    variants = checks["optimizers"]["variants"]
    checks["optimizers"] |= {
        "steps": 3,
        "variants": {name: variants[name][:1] for name in ("SGD", "Muon", "LBFGS")},
    }


def cold_run(directory: Path) -> Path:
    """A repository in which everything has run from nothing, and is committed."""
    copy_repository(directory)
    edit_parameters(directory, shorten)
    run(directory, "dvc", "repro", "--no-run-cache")
    commit(directory)
    return directory


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cold_run(tmp_path_factory.mktemp("reproduced"))


@pytest.fixture
def project(reproduced: Path, tmp_path: Path) -> Path:
    """A copy of the reproduced repository that a test may change."""
    return shutil.copytree(reproduced, tmp_path / "project", symlinks=True)


def test_two_cold_runs_agree_in_every_byte(reproduced: Path, tmp_path: Path) -> None:
    again = cold_run(tmp_path)  # dvc.lock holds the hash of everything that a stage wrote
    assert (again / "dvc.lock").read_bytes() == (reproduced / "dvc.lock").read_bytes()


def test_a_second_run_runs_nothing(project: Path) -> None:
    assert stages_run(run(project, "dvc", "repro")) == []
    assert run(project, "git", "status", "--short") == ""


def test_an_experiment_runs_what_it_changes(project: Path) -> None:
    output = run(
        project, "dvc", "exp", "run", "--set-param", "tasks.classification.optimizers.sgd.lr=0.5"
    )
    trained = [f"{stage}@classification" for stage in TRAINED_STAGES]
    assert stages_run(output) == sorted([*trained, *LAST])
    changes = json.loads(run(project, "dvc", "metrics", "diff", "--json"))
    assert list(changes) == ["metrics/classification.json"]
    loss = changes["metrics/classification.json"]["numpy.train_loss"]
    assert loss["new"] < loss["old"]


def test_a_mistake_is_one_line_and_loses_nothing(project: Path) -> None:
    def mistake(parameters: dict[str, Any]) -> None:
        parameters["tasks"]["classification"]["optimizers"]["sgd"]["lr"] = -1

    edit_parameters(project, mistake)
    with pytest.raises(AssertionError) as failure:
        run(project, "dvc", "repro")
    line = "params.yaml: tasks.classification.optimizers.sgd.lr: must be greater than 0, got -1"
    assert line in str(failure.value).splitlines()
    assert "Traceback" not in str(failure.value)
    assert run(project, "git", "status", "--short").split() == ["M", "params.yaml"]
    run(project, "git", "restore", "params.yaml")
    assert stages_run(run(project, "dvc", "repro")) == []


def test_a_table_becomes_a_task_by_params_yaml_alone(project: Path) -> None:
    rows = [f"{kind},{index},{index % 7},{index % 3}" for kind in "abc" for index in range(20)]
    (project / "my.csv").write_text("\n".join(["kind,length,width,height", *rows]))

    def add_task(parameters: dict[str, Any]) -> None:
        data = {"source": "my.csv", "features": ["length", "width", "height"], "target": "kind"}
        parameters["tasks"]["mine"] = parameters["tasks"]["classification"] | {"data": data}
        parameters["sweeps"]["mine"] = {"repeated": 1}

    edit_parameters(project, add_task)
    stages = sorted([*(f"{stage}@mine" for stage in TASK_STAGES), *LAST])
    assert stages_run(run(project, "dvc", "repro")) == stages
    changed = run(project, "git", "status", "--short").split()[1::2]
    expected = ["dvc.lock", "params.yaml", "metrics/mine.json", "metrics/mine/", "my.csv"]
    assert changed == [*expected, "plots/mine/"]

    (project / "my.csv").write_text("\n".join(["kind,length,width,height", *rows[1:]]))
    assert stages_run(run(project, "dvc", "repro")) == stages


@pytest.mark.parametrize(
    "stage", [*(f"{s}@classification" for s in TASK_STAGES), *CHECK_STAGES, *LAST]
)
def test_a_stage_needs_nothing_but_its_dependencies(
    reproduced: Path, tmp_path: Path, stage: str
) -> None:
    locked = yaml.safe_load((reproduced / "dvc.lock").read_text())["stages"][stage]
    # In place of the schema of the whole file, which can refuse it and do nothing else to a stage.
    schema = tmp_path / "stages/task/parameters.py"
    schema.parent.mkdir(parents=True)
    schema.write_text("def validated(*_): pass")
    for path in ["params.yaml", *(dependency["path"] for dependency in locked["deps"])]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (reproduced / path).is_dir() else shutil.copy2
        copy(reproduced / path, tmp_path / path)
    run(tmp_path, *locked["cmd"].split())
    for out in locked["outs"]:
        assert content(tmp_path / out["path"]) == content(reproduced / out["path"])


def content(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of all files in a folder, by name."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def test_the_numpy_twin_trains_without_torch(project: Path) -> None:
    script = """
import runpy, sys
sys.argv[1:] = ["classification"]
runpy.run_module("stages.train_numpy", run_name="__main__")
assert "torch" not in sys.modules
"""
    run(project, "python", "-c", script)
