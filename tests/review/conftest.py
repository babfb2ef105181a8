"""The small project, run once."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo
from repository import new_repository
from small_project import GATES, PARAMETERS, TRAIN, Project


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after everything ran, committed."""
    root = tmp_path_factory.mktemp("ran")
    new_repository(root)
    Repo.init(str(root)).close()
    project = Project(root)
    project.edit_pipeline()
    (root / "params.yaml").write_text(json.dumps(PARAMETERS))
    (root / "gates.yaml").write_text(yaml.safe_dump(GATES, sort_keys=False))
    (root / "train.py").write_text(TRAIN)
    (root / "code").mkdir()
    (root / "code/words.txt").write_text("two words")
    (root / ".gitignore").write_text("/words.txt\n/count.txt\n/review/\n")
    project.reproduce()
    project.commit()
    return root


@pytest.fixture
def project(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the project that a test may change, and the current folder."""
    shutil.copytree(ran, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")
