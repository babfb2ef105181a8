"""Copies of this repository, for tests that run its pipeline."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]


def run(directory: Path, *command: str, **environment: str) -> str:
    """Runs a command in `directory`, which must succeed; returns what it printed.

    Commands that were installed beside this Python, and `python` itself, are found first.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed in {directory}:\n{done.stdout}"
    return done.stdout


def printed_by(program: str) -> Any:
    """What a test file prints, as JSON, when it runs as a program in a process of its own.

    torch chooses its kernels once in a process; a warning is an error there, too.
    """
    command = [sys.executable, "-W", "error", program]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def edit_parameters(directory: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Lets `edit` change the content of params.yaml in place."""
    path = directory / "params.yaml"
    parameters = yaml.safe_load(path.read_text())
    edit(parameters)
    path.write_text(yaml.safe_dump(parameters, sort_keys=False))


def remove_task(parameters: dict[str, Any], task: str) -> None:
    """Removes a task and its sweep."""
    del parameters["tasks"][task], parameters["sweeps"][task]


def new_repository(directory: Path) -> None:
    """Makes `directory` an empty git repository."""
    run(directory, "git", "init", "--quiet")
    run(directory, "git", "config", "user.name", "test")
    run(directory, "git", "config", "user.email", "test@localhost")


def copy_repository(directory: Path) -> None:
    """Makes `directory` a git repository of what git would commit here, before anything has run.

    It has neither dvc.lock nor metrics nor plots, and no commit.
    """
    new_repository(directory)
    files = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
    for name in files.splitlines():
        if not name.startswith(("dvc.lock", "metrics/", "plots/")) and (ROOT / name).exists():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)


def set_up_environment(directory: Path) -> None:
    """Gives `directory` the .venv that `make` would set up there: this Python's."""
    environment = directory / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".ready":
            (environment / entry.name).symlink_to(entry)
    (environment / ".ready").touch()


def cold_run(directory: Path) -> None:
    """Makes `directory` a repository whose pipeline has run from scratch and is committed on main.

    It has two tasks, of which classification trains as long as here, and small checks and sweeps.
    """
    copy_repository(directory)
    edit_parameters(directory, _shorten)
    run(directory, "git", "branch", "--move", "main")
    run(directory, "dvc", "repro")
    commit(directory)


def _shorten(parameters: dict[str, Any]) -> None:
    for task in ("moons", "digits", "sequence"):
        remove_task(parameters, task)
    parameters["tasks"]["regression"]["training"]["epochs"] = 3
    for name, task in parameters["tasks"].items():
        task["training"]["snapshots"] = 3
        parameters["sweeps"][name] = {"seeds": 2, "repeated": 1}
    parameters["learning_rates"] = {"sgd": [0.01, 0.1]}
    checks = parameters["checks"]
    checks["training"] |= {"steps": 3, "drift_steps": 3}
    variants = checks["optimizers"]["variants"]
    checks["optimizers"] |= {
        "steps": 3,
        "variants": {name: variants[name][:1] for name in ("SGD", "Muon", "LBFGS")},
    }


def stages_run(output: str) -> list[str]:
    """The stages that DVC says it runs, sorted."""
    return sorted(re.findall(r"Running stage '(.*)'", output))


def commit(directory: Path) -> None:
    """Commits everything in `directory` that git does not ignore."""
    run(directory, "git", "add", "--all")
    run(directory, "git", "commit", "--quiet", "--message", "state")
