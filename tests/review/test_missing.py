"""What the stages need, and neither git nor DVC has."""

from collections.abc import Callable

import pytest
from dvc.repo import Repo
from repository import run
from small_project import PIPELINE, Project

from stages.review.revision import read_revision


def ignored(project: Project) -> None:
    (project.root / ".git/info/exclude").write_text("own.csv\n")


def added_to_git(project: Project) -> None:
    run(project.root, "git", "add", "own.csv")


def added_to_dvc(project: Project) -> None:
    run(project.root, "dvc", "add", "own.csv")


def added_to_both(project: Project) -> None:
    added_to_dvc(project)
    run(project.root, "git", "add", "own.csv.dvc")


def beside_the_code(project: Project) -> None:
    added_to_git(project)
    (project.root / "code/more.txt").touch()


def not_there(project: Project) -> None:
    (project.root / "own.csv").unlink()


CASES: dict[Callable[[Project], None], dict[str, str]] = {
    lambda project: None: {"own.csv": "words"},
    ignored: {"own.csv": "words"},
    not_there: {"own.csv": "words"},
    added_to_git: {},
    added_to_dvc: {"own.csv.dvc": "words"},
    added_to_both: {},
    beside_the_code: {"code/more.txt": "words"},
}


@pytest.fixture
def own_table(project: Project) -> Project:
    """The project with a table that no one has added yet."""
    (project.root / "own.csv").write_text("a,b")
    words = PIPELINE["stages"]["words"]
    project.edit_pipeline(words=words | {"deps": ["code", "own.csv"]})
    project.reproduce()
    return project


@pytest.mark.parametrize("prepare", CASES)
def test_a_workspace(own_table: Project, prepare: Callable[[Project], None]) -> None:
    prepare(own_table)
    with Repo() as repo:
        assert read_revision(repo, "workspace").missing == CASES[prepare]


@pytest.mark.parametrize("prepare", [ignored, added_to_git, added_to_dvc, added_to_both])
def test_a_commit(own_table: Project, prepare: Callable[[Project], None]) -> None:
    prepare(own_table)
    run(own_table.root, "git", "add", "--update")
    run(own_table.root, "git", "commit", "--quiet", "--message", "state")
    with Repo() as repo:
        revision = read_revision(repo, "HEAD")
    assert revision.missing == {
        ignored: {"own.csv": "words"},
        added_to_dvc: {"own.csv": "words"},
    }.get(prepare, {})
    assert revision.behind == ()


def test_what_stages_write_is_not_missing(project: Project) -> None:
    count = PIPELINE["stages"]["count"]
    project.edit_pipeline(count=count | {"deps": ["words.txt", "plots", "metrics"]})
    project.change(picture="two")
    project.reproduce()
    with Repo() as repo:
        assert read_revision(repo, "workspace").missing == {}
    (project.root / "plots/stray.png").touch()
    with Repo() as repo:
        assert read_revision(repo, "workspace").missing == {"plots/stray.png": "count"}
