"""The workflows are valid and safe, and the commands of a pull request run here.

Here, `gh` is a program that keeps one file for each comment.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT, commit, edit_parameters, run, set_up_environment, stages_run

WORKFLOWS = ROOT / ".github" / "workflows"
REVIEW = (WORKFLOWS / "review.yaml").read_text()

TASK = "classification"

# GitHub's values for the expressions in the workflow.
EXPRESSIONS = {
    "github.base_ref": "main",
    "github.event.pull_request.number": "7",
    "github.token": "secret",
}

GH = f"""#!{sys.executable}
import argparse, os, pathlib, sys

parser = argparse.ArgumentParser()
parser.add_argument("noun", choices=["pr"])
parser.add_argument("verb", choices=["comment"])
parser.add_argument("number", choices=["7"])
parser.add_argument("--edit-last", action="store_true")
parser.add_argument("--create-if-none", action="store_true")
parser.add_argument("--body-file", type=pathlib.Path)
arguments = parser.parse_args()
comments = pathlib.Path(os.environ["COMMENTS"])
if os.environ.get("GH_TOKEN") != "secret" or not comments.exists():
    sys.exit("Resource not accessible by integration")
count = len(list(comments.iterdir()))
if arguments.edit_last and not count and not arguments.create_if_none:
    sys.exit("no comments found for current user")
number = count if arguments.edit_last and count else count + 1
(comments / str(number)).write_bytes(arguments.body_file.read_bytes())
"""


def problems(workflow: Path) -> str:
    """What two linters report about a workflow, both without the network."""
    commands = [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)],
        ["zizmor", "--offline", "--no-progress", "--quiet", str(workflow)],
    ]
    found = [
        subprocess.run(
            [str(Path(sys.executable).with_name(name)), *arguments], capture_output=True, text=True
        )
        for name, *arguments in commands
    ]
    return "".join(done.stdout + done.stderr for done in found if done.returncode)


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS.iterdir()), ids=lambda path: path.name)
def test_a_workflow_is_valid_and_safe(workflow: Path) -> None:
    assert problems(workflow) == ""


@pytest.mark.parametrize(
    ("text", "mistake", "problem"),
    [
        ("runs-on:", "run-on:", "'runs-on' is a required property"),
        ("make repro", "make ${{ github.head_ref }}", "template-injection"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@main", "unpinned-uses"),
        ("persist-credentials: false", "clean: true", "artipacked"),
        ("contents: read", "contents: all", "'all' is not one of ['read', 'write', 'none']"),
    ],
)
def test_a_mistake_in_a_workflow_is_found(
    text: str, mistake: str, problem: str, tmp_path: Path
) -> None:
    assert text in REVIEW
    workflow = tmp_path / ".github" / "workflows" / "review.yaml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(REVIEW.replace(text, mistake))
    assert problem in problems(workflow)


class Runner:
    """A machine that checks out a branch of a repository and runs the workflow's commands there."""

    def __init__(self, folder: Path, origin: Path, cache: Path, branch: str) -> None:
        self.root, self.comments, self._summary = (
            folder / name for name in ("clone", "comments", "summary")
        )
        run(folder, "git", "clone", "--quiet", "--branch", branch, str(origin), str(self.root))
        shutil.copytree(cache, self.root / ".dvc" / "cache")
        set_up_environment(self.root)
        self.comments.mkdir()
        (folder / "bin").mkdir()
        gh = folder / "bin" / "gh"
        gh.write_text(GH)
        gh.chmod(0o755)
        self._environment = os.environ | {
            "PATH": os.pathsep.join([str(gh.parent), os.environ["PATH"]]),
            "COMMENTS": str(self.comments),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "someone/gradient-twins",
            "GITHUB_STEP_SUMMARY": str(self._summary),
        }

    def run(self) -> tuple[str | None, str]:
        """Runs the workflow; returns the step that failed, if any, and all that was printed."""
        self._summary.unlink(missing_ok=True)
        failed, printed, outcomes = None, "", {}
        for step in yaml.safe_load(REVIEW)["jobs"]["review"]["steps"]:
            if "run" not in step:
                continue  # an action; what it would have done is done
            match step.get("if"):
                case None:
                    skipped = failed is not None
                case "${{ !cancelled() && steps.review.outcome != 'skipped' }}":
                    skipped = outcomes["review"] == "skipped"
                case condition:
                    raise AssertionError(condition)
            outcomes[step.get("id")] = "skipped" if skipped else "run"
            if skipped:
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", step["run"]],
                cwd=self.root,
                env=self._environment | evaluated(step.get("env", {})),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            printed += done.stdout
            if done.returncode and failed is None:
                failed = step["name"]
        return failed, printed

    def posted(self) -> list[str]:
        """The comments on the pull request."""
        return [path.read_text() for path in sorted(self.comments.iterdir())]

    def summary(self) -> str:
        return self._summary.read_text()


def evaluated(environment: dict[str, Any]) -> dict[str, str]:
    """A step's environment with its expressions evaluated, as GitHub does."""
    return {
        name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: EXPRESSIONS[match[1]], value)
        for name, value in environment.items()
    }


def set_parameter(*keys: str, value: object) -> Callable[[dict[str, Any]], None]:
    def edit(parameters: dict[str, Any]) -> None:
        for key in keys[:-1]:
            parameters = parameters[key]
        parameters[keys[-1]] = value

    return edit


@pytest.fixture(scope="module")
def origin(reproduced: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bare repository with two branches to pull, and the cache of when they left main.

    better: a larger learning rate, with its results; worse: a smaller one, without them
    """
    folder = tmp_path_factory.mktemp("pull")
    project, bare = shutil.copytree(reproduced, folder / "project", symlinks=True), folder / "bare"
    rate = ("tasks", TASK, "optimizers", "sgd", "lr")
    for branch, value in [("worse", 0.01), ("better", 0.1)]:
        run(project, "git", "switch", "--quiet", "--create", branch, "main")
        edit_parameters(project, set_parameter(*rate, value=value))
        if branch == "better":
            run(project, "dvc", "repro", "--quiet")
        commit(project)
    run(project, "git", "switch", "--quiet", "main")  # main moves on
    edit_parameters(project, set_parameter("tasks", TASK, "split", "seed", value=9))
    commit(project)
    run(folder, "git", "clone", "--quiet", "--bare", str(project), str(bare))
    return bare, reproduced / ".dvc" / "cache"


def test_a_pull_request_has_one_comment(origin: tuple[Path, Path], tmp_path: Path) -> None:
    runner = Runner(tmp_path, *origin, branch="better")
    failed, printed = runner.run()
    assert failed is None, printed
    # What the cache of main lacks is made again; the rest is in git.
    assert stages_run(printed) == ["report", f"train_numpy@{TASK}", f"train_torch@{TASK}"]
    (comment,) = runner.posted()
    assert comment == runner.summary() == (runner.root / "review" / "review.md").read_text()
    assert comment in printed
    assert comment.startswith("**Passed")
    assert "optimizers.sgd.lr" in comment
    assert "split.seed" not in comment  # main's
    for name in ("HEAD", "HEAD~"):
        address = "https://github.com/someone/gradient-twins/raw/"
        address += run(runner.root, "git", "rev-parse", name).strip()
        assert f"({address}/plots/{TASK}/loss.png)" in comment
    assert "not committed" not in comment

    failed, printed = runner.run()
    assert (failed, stages_run(printed)) == (None, [])
    assert runner.posted() == [comment]

    shutil.rmtree(runner.comments)  # as for a pull request from a fork
    failed, printed = runner.run()
    assert failed is None
    assert "::warning::No comment could be posted" in printed
    assert runner.summary() == comment


def test_a_gate_fails_after_the_comment(origin: tuple[Path, Path], tmp_path: Path) -> None:
    runner = Runner(tmp_path, *origin, branch="worse")
    failed, printed = runner.run()
    assert failed == "Compare with where it left its base"
    trained = [f"{stage}@{TASK}" for stage in ("draw", "evaluate", "train_numpy", "train_torch")]
    assert stages_run(printed) == ["code", *trained[:2], "report", *trained[2:]]
    (comment,) = runner.posted()
    assert comment.startswith("**Failed.")
    assert f"`plots/{TASK}/loss.png`, not committed" in comment


def test_a_stage_that_fails_leaves_no_review(origin: tuple[Path, Path], tmp_path: Path) -> None:
    runner = Runner(tmp_path, *origin, branch="worse")
    edit_parameters(
        runner.root, set_parameter("tasks", TASK, "model", "options", "activation", value="rleu")
    )
    failed, printed = runner.run()
    assert failed == "Run what the pull request changed"
    assert f"tasks.{TASK}.model.options.activation: must be one of" in printed
    assert runner.posted() == []
