"""What DVC cannot go on with is mended before it runs: what a killed one left, and conflicts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.dvcfile import Lockfile
from dvc.repo import Repo
from dvc.utils.serialize import YAMLFileCorruptedError
from dvc.utils.strictyaml import YAMLValidationError
from repository import ROOT, commit, new_repository, run

GOOD = "schema: '2.0'\nstages: {}\n"
LOCK, IN_USE = Path("dvc.lock"), Path(".dvc/tmp/rwlock")


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True, exist_ok=True)
    LOCK.write_text(GOOD)
    commit(tmp_path)


def git(*command: str) -> str:
    return run(Path(), "git", *command)


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


WHOLE = """schema: '2.0'
stages:
  words:
    cmd: echo
    deps:
    - path: words.txt
      md5: 033c9ac7b280de61fbf9c85057b17811
"""
# Some of these are YAML, and still not what DVC accepts.
LEFT = ["", *(WHOLE[: WHOLE.index(end)] for end in ("2.0", " echo", "words.txt", "th: w", ": 033"))]


@pytest.mark.parametrize("left", [*LEFT, "stages: {a: [1,", "[]"])
def test_a_lock_that_was_left_unreadable_is_restored_from_git(left: str) -> None:
    LOCK.write_text(left)
    with Repo() as repo, pytest.raises((YAMLFileCorruptedError, YAMLValidationError)):
        Lockfile(repo, "dvc.lock").load()
    code, said = recover()
    assert (code, len(said.splitlines())) == (0, 1)
    assert said.startswith("dvc.lock: ")
    assert said.endswith(": restored from git\n")
    assert LOCK.read_text() == GOOD


@pytest.mark.parametrize("committed", [None, ""])
def test_a_lock_that_git_does_not_have_is_one_line(committed: str | None) -> None:
    git("rm", "--quiet", "dvc.lock")
    if committed is not None:
        LOCK.write_text(committed)
    commit(Path())
    LOCK.write_text("")
    code, said = recover()
    assert (code, len(said.splitlines())) == (1, 1)
    assert said.startswith("dvc.lock: ")
    assert LOCK.exists()


def rwlock(pid: int, command: str) -> str:
    holder = {"pid": pid, "cmd": command}
    return json.dumps({"write": {"/data/a": holder}, "read": {"/data/b": [holder]}})


def test_an_rwlock_that_nobody_holds_is_removed() -> None:
    """Unreadable, or of a process that has ended, be it that its parent or its number lives on."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as zombie:
        assert zombie.stdout is not None
        zombie.stdout.read()  # it has ended, and nobody has asked how
        ended = [rwlock(zombie.pid, "dvc repro"), rwlock(os.getpid(), "dvc repro")]
        ended.append(rwlock(2**22 + 1, "dvc repro"))  # more than the system has
        for left in ["", "{", "[]", '{"read": 1}', *ended]:
            IN_USE.write_text(left)
            assert recover() == (
                0,
                ".dvc/tmp/rwlock: was left by a DVC that was killed: removed\n",
            )
            assert not IN_USE.exists()


def test_an_rwlock_of_a_process_that_runs_stays() -> None:
    program = [sys.executable, "-c", "import time; time.sleep(60)", "repro"]
    with subprocess.Popen(program) as process:
        try:
            IN_USE.write_text(rwlock(process.pid, ".venv/bin/dvc repro"))
            assert recover() == (0, "")
            assert IN_USE.exists()
        finally:
            process.kill()


def test_nothing_is_touched_while_dvc_runs() -> None:
    """The process that writes a file may be in the middle of it."""
    LOCK.write_text("")
    IN_USE.touch()
    with Repo() as repo, repo.lock:
        assert recover() == (0, "")
    assert (LOCK.read_text(), IN_USE.exists()) == ("", True)
    assert recover()[0] == 0
    assert LOCK.read_text() == GOOD


# ------------------------------------------------------------------------------------- conflicts


def lock(**entries: int) -> str:
    """A dvc.lock with a command for each stage, which prints a number."""
    lines = [f"  {name}:\n    cmd: echo {number}\n" for name, number in entries.items()]
    return f"schema: '2.0'\nstages:\n{''.join(lines)}"


def conflict(base: str | None, ours: str, theirs: str) -> None:
    """Merges two branches that changed what was on a third, or made it anew."""
    git("rm", "--quiet", "dvc.lock")
    for branch, text in (("base", base), ("theirs", theirs), ("ours", ours)):
        git("switch", "--quiet", "--create", branch, *(["base"] if branch == "ours" else []))
        if text is not None:
            LOCK.write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message", branch)
    merge = subprocess.run(["git", "merge", "theirs"], capture_output=True, text=True)
    assert "CONFLICT" in merge.stdout
    assert "<<<<<<<" in LOCK.read_text()


SIDES = [
    (lock(a=1, b=1, report=1), lock(a=2, b=1, report=2), lock(a=1, b=3, report=3)),
    (None, lock(a=2, b=3, report=2), lock(b=3, report=3)),
]


@pytest.mark.parametrize(("base", "ours", "theirs"), SIDES)
def test_each_stage_is_as_the_side_has_it_that_changed_it(
    base: str | None, ours: str, theirs: str
) -> None:
    conflict(base, ours, theirs)
    assert recover() == (
        0,
        "dvc.lock: had a conflict: each stage is as the side has it that changed it\n",
    )
    assert LOCK.read_text() == lock(a=2, b=3, report=2)
    assert recover() == (0, "")


def test_a_conflict_is_merged_again_when_dvc_is_killed_in_it() -> None:
    conflict(*SIDES[0])
    recover()
    LOCK.write_text("")
    recover()
    assert LOCK.read_text() == lock(a=2, b=3, report=2)


# ------------------------------------------------------------------------- stages that are gone

PIPELINE = {
    "train": {"foreach": "${tasks}", "do": {"plots": [{"plots/${key}/fit.png": {}}]}},
    "evaluate": {"foreach": "${tasks}", "do": {"metrics": ["metrics/${key}.json"]}},
    "check": {"metrics": ["metrics/check.json"], "plots": ["plots/check/fit.png"]},
}


@pytest.fixture
def _pipeline() -> None:
    """A task, and another that is gone: both have run, and the user has files of their own."""
    Path("dvc.yaml").write_text(json.dumps({"stages": PIPELINE}))
    Path("params.yaml").write_text(json.dumps({"tasks": {"moons": {}}}))
    names = ["train@moons", "train@trial", "evaluate@moons", "evaluate@trial", "check", "old"]
    LOCK.write_text(lock(**dict.fromkeys(names, 1)))
    for name in ["moons", "trial", "check"]:
        Path("plots", name).mkdir(parents=True)
        Path("plots", name, "fit.png").touch()
    Path("metrics").mkdir()
    for name in ["moons", "trial", "check", "own"]:
        Path("metrics", f"{name}.json").touch()
    Path("plots/moons/own.png").touch()


@pytest.mark.usefixtures("_pipeline")
def test_what_stages_that_are_gone_left_is_dropped() -> None:
    before = {path for path in Path().glob("[mp]*/**/*") if path.is_file()}
    code, said = recover()
    assert (code, said.splitlines()) == (
        0,
        [
            "dvc.lock: stages that are gone are dropped: train@trial, evaluate@trial, old",
            "metrics/trial.json: no stage writes it any more: removed",
            "plots/trial/fit.png: no stage writes it any more: removed",
        ],
    )
    assert LOCK.read_text() == lock(**{"train@moons": 1, "evaluate@moons": 1, "check": 1})
    after = {path for path in Path().glob("[mp]*/**/*") if path.is_file()}
    assert before - after == {Path("metrics/trial.json"), Path("plots/trial/fit.png")}
    assert not Path("plots/trial").exists()
    assert recover() == (0, "")


@pytest.mark.usefixtures("_pipeline")
@pytest.mark.parametrize("parameters", ["", "tasks: [moons]", "tasks: {yes: 1}", "tasks: [", "{}"])
def test_a_mistake_in_params_yaml_drops_nothing(parameters: str) -> None:
    Path("params.yaml").write_text(parameters)
    before = LOCK.read_text()
    assert recover() == (0, "")
    assert LOCK.read_text() == before
    assert Path("metrics/trial.json").exists()
