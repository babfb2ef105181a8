"""What a killed DVC leaves is mended before the next one runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo
from repository import ROOT, commit, new_repository

GOOD = "schema: '2.0'\nstages: {}\n"
LOCK, IN_USE = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True, exist_ok=True)
    LOCK.write_text(GOOD)
    commit(tmp_path)


def recover() -> tuple[int, str]:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import runpy; "
    code += "runpy.run_module('stages.recovery', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_where_nothing_is_wrong_nothing_is_said_or_done() -> None:
    LOCK.write_text(changed := GOOD + "# newer than in git\n")
    IN_USE.write_text("{}")
    assert recover() == (0, "")
    assert (LOCK.read_text(), IN_USE.read_text()) == (changed, "{}")


@pytest.mark.parametrize("left", ["", GOOD[:7], "stages: {a: [1,"])
def test_a_lock_that_was_left_unreadable_is_restored_from_git(left: str) -> None:
    LOCK.write_text(left)
    code, said = recover()
    assert (code, len(said.splitlines())) == (0, 1)
    assert said.startswith("dvc.lock: ")
    assert said.endswith(": restored from git\n")
    assert LOCK.read_text() == GOOD


def test_a_lock_that_git_does_not_have_is_one_line() -> None:
    subprocess.run(["git", "rm", "--quiet", "--cached", "dvc.lock"], check=True)
    subprocess.run(["git", "commit", "--quiet", "--message", "none"], check=True)
    LOCK.write_text("")
    code, said = recover()
    assert (code, len(said.splitlines())) == (1, 1)
    assert said.startswith("dvc.lock: ")
    assert LOCK.exists()


def test_an_empty_rwlock_is_removed() -> None:
    IN_USE.touch()
    code, said = recover()
    assert (code, len(said.splitlines())) == (0, 1)
    assert said.startswith(".dvc/tmp/rwlock: ")
    assert not IN_USE.exists()


def test_nothing_is_touched_while_dvc_runs() -> None:
    """The process that writes a file may be in the middle of it."""
    LOCK.write_text("")
    IN_USE.touch()
    with Repo() as repo, repo.lock:
        assert recover() == (0, "")
    assert (LOCK.read_text(), IN_USE.exists()) == ("", True)
    assert recover()[0] == 0
    assert LOCK.read_text() == GOOD
