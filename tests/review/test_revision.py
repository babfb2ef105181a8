"""What is read of a revision: commits, experiments and the workspace."""

import doctest
import json
import math
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from repository import run
from small_project import PARAMETERS, PIPELINE, Project

from stages.review import revision as module
from stages.review.revision import Revision, changed_files, read_revision
from stages.task.errors import InputError


def read(name: str) -> Revision:
    with Repo() as repo:
        return read_revision(repo, name)


@pytest.mark.parametrize("name", ["HEAD", "workspace"])
def test_a_revision(project: Project, name: str) -> None:
    revision = read(name)
    assert revision.name == name
    assert revision.commit == run(project.root, "git", "rev-parse", "HEAD").strip()
    assert revision.parameters == {
        "metrics.loss": 0.25,
        "metrics.accuracy": 0.5,
        "metrics.steps": 7,
        "metrics.drift.parameters": 1.5e-15,
        "curve": [4, 2, 1],
        "picture": "one",
        "unused.sizes": [8, 8],
    }
    assert revision.metrics == {
        "metrics/moons.json:loss": 0.25,
        "metrics/moons.json:accuracy": 0.5,
        "metrics/moons.json:steps": 7,
        "metrics/moons.json:drift.parameters": 1.5e-15,
    }
    assert set(revision.stages) == {"words", "count", "train"}
    train = revision.stages["train"]
    assert train.command == PIPELINE["stages"]["train"]["cmd"]
    assert set(train.dependencies) == {"train.py"}
    assert set(train.parameters) == set(revision.parameters) - {"unused.sizes"}
    words, count = revision.stages["words"], revision.stages["count"]
    assert words.outs["words.txt"] == count.dependencies["words.txt"] is not None
    assert revision.plots["plots/curve.csv"].content == b"step,loss\n0,4\n1,2\n2,1"
    assert (revision.plots["plots/curve.csv"].x, revision.plots["plots/curve.csv"].y) == (
        "step",
        ("loss",),
    )
    assert revision.plots["plots/table.csv"].x is None
    assert revision.plots["plots/a picture.png"].content == b"one"
    assert revision.behind == ()


def test_null_and_nan_are_values(project: Project) -> None:
    train = (project.root / "train.py").read_text()
    (project.root / "train.py").write_text(
        train.replace('parameters["metrics"])', '{"a": None, "b": float("nan"), "c": [1, None]})')
    )
    project.reproduce()
    metrics = read("workspace").metrics
    assert list(metrics) == [f"metrics/moons.json:{key}" for key in "abc"]
    a, b, c = metrics.values()
    assert (a, c) == (None, [1, None])
    assert isinstance(b, float)
    assert math.isnan(b)


def test_a_branch_a_tag_and_an_ancestor(project: Project) -> None:
    run(project.root, "git", "branch", "before")
    run(project.root, "git", "tag", "v1")
    project.measure(loss=0.5)
    project.commit()
    losses = {
        name: read(name).metrics["metrics/moons.json:loss"]
        for name in ("before", "v1", "HEAD~1", "HEAD", "workspace")
    }
    assert losses == {"before": 0.25, "v1": 0.25, "HEAD~1": 0.25, "HEAD": 0.5, "workspace": 0.5}


def test_a_removed_stage_is_gone_although_the_lock_remembers_it(project: Project) -> None:
    project.edit_pipeline(train=None)
    assert "train" in (project.root / "dvc.lock").read_text()
    revision = read("workspace")
    assert set(revision.stages) == {"words", "count"}
    assert (revision.metrics_files, revision.plots) == ({}, {})
    assert set(read("HEAD").stages) == {"words", "count", "train"}


EDITS: dict[str, tuple[str, str, list[str]]] = {
    "a parameter": ("params.yaml", json.dumps(PARAMETERS | {"picture": "two"}), ["train"]),
    "an unused one": ("params.yaml", json.dumps(PARAMETERS | {"unused": 1}), []),
    "code in a folder": ("code/more.py", "", ["count", "words"]),
    "code": ("train.py", "", ["train"]),
    "a metric": ("metrics/moons.json", "{}", ["train"]),
    "a plot": ("plots/curve.csv", "", ["train"]),
}


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("edit", EDITS)
def test_stages_are_behind_until_they_run(project: Project, edit: str, committed: bool) -> None:
    path, text, behind = EDITS[edit]
    (project.root / path).write_text(text)
    if committed:
        project.commit()
    assert list(read("HEAD" if committed else "workspace").behind) == behind


def test_stages_are_behind_where_the_pipeline_changed(project: Project) -> None:
    words = PIPELINE["stages"]["words"]
    project.edit_pipeline(
        words=words | {"cmd": "cat code/words.txt > words.txt"},
        new=words | {"outs": ["new.txt"], "cmd": "touch new.txt"},
    )
    assert sorted(read("workspace").behind) == ["count", "new", "words"]


def test_data_of_another_run_is_behind(project: Project) -> None:
    lock = (project.root / "dvc.lock").read_text()
    (project.root / "code/words.txt").write_text("now three words")
    project.reproduce()
    count = lock[lock.index("  count:") : lock.index("  train:")]
    new = (project.root / "dvc.lock").read_text()
    new_count = new[new.index("  count:") : new.index("  train:")]
    (project.root / "dvc.lock").write_text(new.replace(new_count, count))
    project.commit()
    assert read("HEAD").behind == ("count",)


def test_a_table_that_dvc_tracks_is_no_stage(project: Project) -> None:
    (project.root / "own.csv").write_text("a,b")
    with Repo() as repo:
        repo.add("own.csv")
    words = PIPELINE["stages"]["words"]
    project.edit_pipeline(words=words | {"deps": ["code", "own.csv"]})
    project.reproduce()
    project.commit()
    revision = read("HEAD")
    assert set(revision.stages) == {"words", "count", "train"}
    assert set(revision.stages["words"].dependencies) == {"code", "own.csv"}
    assert revision.behind == ()


def test_a_clone_without_data_is_enough(project: Project) -> None:
    (project.root / "words.txt").unlink()
    (project.root / "count.txt").unlink()
    assert read("workspace").behind == ()


def test_files_that_changed(project: Project) -> None:
    first = read("HEAD").commit
    (project.root / "code/words.txt").write_text("committed")
    project.commit()
    (project.root / "train.py").write_text("not committed")
    (project.root / "code/ä.py").write_text("not known to git")
    (project.root / "count.txt").write_text("ignored")
    assert changed_files(first, read("HEAD")) == ["code/words.txt"]
    assert sorted(changed_files(first, read("workspace"))) == [
        *["code/words.txt", "code/ä.py", "train.py"]
    ]


@pytest.mark.parametrize("name", ["nope", "-x", "HEAD~99"])
@pytest.mark.usefixtures("project")
def test_an_unknown_name(name: str) -> None:
    with pytest.raises(InputError) as failure:
        read(name)
    assert str(failure.value) == f"{name}: neither a revision of git nor an experiment of DVC"


@pytest.mark.parametrize("name", ["HEAD", "workspace"])
def test_where_nothing_ran(project: Project, name: str) -> None:
    (project.root / "dvc.lock").unlink()
    project.commit()
    with pytest.raises(InputError, match=f"^{name}: has no dvc.lock, so no stage ran there"):
        read(name)


@pytest.mark.parametrize("path", ["plots/a picture.png", "metrics/moons.json"])
def test_a_link_out_of_the_project_is_not_followed(
    project: Project, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("{}")
    (project.root / path).unlink()
    (project.root / path).symlink_to(tmp_path / "secret")
    message = f"^workspace: {path}: must be in the project, leads to .*/secret$"
    with pytest.raises(InputError, match=message):
        read("workspace")


def test_parameters_that_cannot_be_read(project: Project) -> None:
    (project.root / "params.yaml").write_text("a: [")
    project.commit()
    with pytest.raises(InputError, match=r"^HEAD: unable to read: 'params.yaml', YAML .*$"):
        read("HEAD")


def test_parameters_in_another_file(project: Project) -> None:
    train = PIPELINE["stages"]["train"]
    project.edit_pipeline(train=train | {"params": [*train["params"], {"more.json": ["rate"]}]})
    (project.root / "more.json").write_text('{"rate": 0.5, "other": 1}')
    project.reproduce()
    revision = read("workspace")
    assert revision.parameters["more.json.rate"] == 0.5
    assert revision.stages["train"].parameters["more.json.rate"] == 0.5
    (project.root / "more.json").write_text("{")
    with pytest.raises(InputError, match=r"^workspace: more.json: Expecting property.*$"):
        read("workspace")


def test_its_examples() -> None:
    assert doctest.testmod(module).failed == 0


def test_leaves() -> None:
    nested: Any = {"a": {"b": 1, "c": {}}, "d": [], "e": [[1], [2]], "f": None}
    assert dict(module.leaves(nested)) == {
        "a.b": 1,
        "a.c": {},
        "d": [],
        "e.0": [1],
        "e.1": [2],
        "f": None,
    }
    assert dict(module.leaves({})) == {}
