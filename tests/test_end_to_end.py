"""The pipeline as its users run it: in copies of this repository, with short trainings."""

import shutil
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import commit, edit_parameters, run, set_up_environment, stages_run

TASK_STAGES = [
    *["generate", "split", "train_numpy", "train_torch", "evaluate", "draw", "check_model"],
    *["sweep", "draw_sweep"],
]
CHECK_STAGES = ["check_gradients", "check_optimizers", "check_training", "draw_checks"]
LAST = ["report"]
ONE_TRAINING = {"seeds": 1, "optimizers": {"sgd": {"lr": 0.1}}}


def test_a_second_run_runs_nothing(project: Path) -> None:
    assert stages_run(run(project, "dvc", "repro")) == []
    assert run(project, "git", "status", "--short") == ""


def test_a_mistake_is_one_line_and_loses_nothing(project: Path) -> None:
    def mistake(parameters: dict[str, Any]) -> None:
        parameters["tasks"]["classification"]["optimizers"]["sgd"]["lr"] = -1

    edit_parameters(project, mistake)
    with pytest.raises(AssertionError) as failure:
        run(project, "dvc", "repro")
    line = "params.yaml: tasks.classification.optimizers.sgd.lr: must be greater than 0, got -1"
    assert line in str(failure.value).splitlines()
    assert "Traceback" not in str(failure.value)
    run(project, "git", "restore", "params.yaml")
    assert stages_run(run(project, "dvc", "repro")) == []
    assert run(project, "git", "status", "--short") == ""


def test_what_a_mistake_deletes_comes_back(project: Path) -> None:
    """Of each kind of stage that asks for parameters: DVC deletes its results before it fails."""
    first, locked = (project / "params.yaml").read_text(), lock(project)
    asking = {
        name: sections(entry)[0]
        for name, entry in locked.items()
        if "params" in entry and name.partition("@")[2] in ("", "regression")
    }
    kinds = {name.partition("@")[0] for name in asking}
    assert kinds == {*TASK_STAGES, *CHECK_STAGES} - {"draw_sweep", "draw_checks"}

    def mistakes(parameters: dict[str, Any]) -> None:
        for keys in asking.values():
            reduce(getitem, keys.split("."), parameters)["mistake"] = 1

    edit_parameters(project, mistakes)
    stages = [*asking, *LAST]
    with pytest.raises(AssertionError, match=r"tasks\.regression\.split\.mistake: "):
        run(project, "dvc", "repro", "--single-item", "--keep-going", *stages)
    for out in (out for stage in stages for out in locked[stage]["outs"]):
        assert not (project / out["path"]).exists()
    (project / "params.yaml").write_text(first)
    assert stages_run(run(project, "dvc", "repro")) == []
    assert run(project, "git", "status", "--short") == ""
    assert run(project, "dvc", "status", "--quiet") == ""


def test_what_was_pushed_does_not_run_elsewhere(project: Path, tmp_path: Path) -> None:
    """Nor does what a change does not concern."""
    run(project, "dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    run(project, "git", "commit", "--quiet", "--all", "--message", "a remote")
    run(project, "dvc", "push", "--run-cache")
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", str(project), str(clone))
    run(clone, "dvc", "pull", "--run-cache")
    with (clone / "README.md").open("a") as file:
        file.write("A change.\n")
    assert stages_run(run(clone, "dvc", "repro")) == []
    assert run(clone, "git", "status", "--short") == " M README.md\n"


def test_what_has_run_does_not_run_again(project: Path) -> None:
    """Not with a value that is changed back, nor without DVC's record of it."""
    first = (project / "params.yaml").read_text()

    def change(parameters: dict[str, Any]) -> None:
        parameters["tasks"]["regression"]["training"]["seed"] += 1

    edit_parameters(project, change)
    assert "train_numpy@regression" in stages_run(run(project, "dvc", "repro"))
    (project / "params.yaml").write_text(first)
    assert stages_run(run(project, "dvc", "repro")) == []
    (project / "dvc.lock").unlink()
    assert stages_run(run(project, "dvc", "repro")) == []
    assert run(project, "git", "status", "--short") == ""


def test_a_table_becomes_a_task_by_params_yaml_alone(project: Path) -> None:
    rows = [f"{kind},{index},{index % 7},{index % 3}" for kind in "abc" for index in range(20)]
    (project / "my.csv").write_text("\n".join(["kind,length,width,height", *rows]))

    def add_task(parameters: dict[str, Any]) -> None:
        data = {"source": "my.csv", "features": ["length", "width", "height"], "target": "kind"}
        parameters["tasks"]["mine"] = parameters["tasks"]["classification"] | {"data": data}
        parameters["sweeps"]["mine"] = {"repeated": 1}

    edit_parameters(project, add_task)
    stages = sorted([*(f"{stage}@mine" for stage in TASK_STAGES), *LAST])
    assert stages_run(run(project, "dvc", "repro")) == sorted(["code", *stages])
    changed = run(project, "git", "status", "--short").split()[1::2]
    expected = ["dvc.lock", "params.yaml", "metrics/mine.json", "metrics/mine/", "my.csv"]
    assert changed == [*expected, "plots/mine/"]

    (project / "my.csv").write_text("\n".join(["kind,length,width,height", *rows[1:]]))
    assert stages_run(run(project, "dvc", "repro", "--dry", "--force-downstream")) == stages

    # It was only a trial: what it left counts nowhere.
    run(project, "git", "restore", "params.yaml")
    (project / "my.csv").unlink()
    set_up_environment(project)
    assert stages_run(run(project, "make", "repro")) == []
    assert run(project, "git", "status", "--short") == ""


def test_branches_that_change_different_tasks_merge_and_no_task_runs_again(project: Path) -> None:
    set_up_environment(project)
    for task in ("regression", "classification"):
        run(project, "git", "switch", "--quiet", "--create", task, "main")
        edit_parameters(
            project, lambda parameters, task=task: parameters["sweeps"][task].update(ONE_TRAINING)
        )
        ran = stages_run(run(project, "make", "repro"))
        assert ran == ["code", f"draw_sweep@{task}", "report", f"sweep@{task}"]
        commit(project)
    with pytest.raises(AssertionError, match=r"Merge conflict in dvc\.lock"):
        run(project, "git", "merge", "regression")
    assert stages_run(run(project, "make", "repro")) == ["code", "report"]
    commit(project)
    assert stages_run(run(project, "make", "repro")) == []
    changed = run(project, "git", "diff", "--name-only", "main").split()
    for task in ("regression", "classification"):
        assert f"metrics/{task}/sweep.json" in changed


@pytest.mark.parametrize(
    "stage",
    [
        *(f"{stage}@{task}" for task in ("regression", "classification") for stage in TASK_STAGES),
        *CHECK_STAGES,
        *LAST,
    ],
)
def test_a_stage_writes_the_same_bytes_from_nothing_but_its_dependencies(
    reproduced: Path, tmp_path: Path, stage: str
) -> None:
    locked = lock(reproduced)[stage]
    # In place of the schema of the whole file, which can refuse it and do nothing else to a stage.
    schema = tmp_path / "stages/task/parameters.py"
    schema.parent.mkdir(parents=True)
    schema.write_text("def validated(*_): pass")
    dependencies = [dependency["path"] for dependency in locked["deps"]]
    (code,) = (path for path in dependencies if path.startswith("data/code/"))
    listed = (reproduced / code).read_text().splitlines()
    for path in ["params.yaml", *dependencies, *(line.partition("  ")[2] for line in listed)]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (reproduced / path).is_dir() else shutil.copy2
        copy(reproduced / path, tmp_path / path)
    run(tmp_path, *locked["cmd"].split())
    for out in locked["outs"]:
        assert content(tmp_path / out["path"]) == content(reproduced / out["path"])


def sections(locked: dict[str, Any]) -> list[str]:
    """The sections of params.yaml that a stage asks for, without single values."""
    given = locked["params"]["params.yaml"]
    return [key for key, value in given.items() if isinstance(value, dict)]


def lock(directory: Path) -> dict[str, Any]:
    """DVC's record of each stage."""
    stages = yaml.safe_load((directory / "dvc.lock").read_text())["stages"]
    assert isinstance(stages, dict)
    return stages


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
