import errno
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from repository import ROOT, copy_repository, edit_parameters, set_up_environment
from repository import run as run_command

from stages.task.checks import GradientChecks
from stages.task.command import plain_errors, run
from stages.task.errors import InputError
from stages.task.model import Model

TASKS = "regression, classification, moons, digits, sequence"


@pytest.fixture(autouse=True)
def in_a_copy_of_params_yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "stages").symlink_to(ROOT / "stages")  # with the models that the file names


def test_a_stage_gets_the_sections_that_it_asks_for_of_the_task_that_the_command_line_names():
    calls = []

    def main(task: str, model: Model, device: str) -> None:
        calls.append((task, model.options["activation"], device))

    run(main, ["moons"])
    assert calls == [("moons", "tanh", "cpu")]


def test_a_stage_without_a_task_gets_sections_of_the_checks():
    calls = []

    def main(gradients: GradientChecks) -> None:
        calls.append(gradients.seed)

    run(main, [])
    assert calls == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["moonz"],
            f"moonz: unknown task (did you mean moons?); valid tasks are {TASKS}",
        ),
        (
            ["--help"],
            f"--help: unknown task; valid tasks are {TASKS}",
        ),
        (
            [],
            f"one task is expected, got 0; tasks are {TASKS}",
        ),
        (
            ["moons", "moons"],
            f"one task is expected, got 2; tasks are {TASKS}",
        ),
    ],
)
def test_no_such_task_is_one_line(arguments, message):
    with pytest.raises(SystemExit) as stopped:
        run(lambda task: None, arguments)
    assert stopped.value.code == message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("my.csv: is empty"), "my.csv: is empty"),
        (InputError("one\ntwo"), "one\ntwo"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a"),
         "a: No such file or directory"),
        (OSError("out of disks"), "out of disks"),
        (KeyboardInterrupt(), 130),
    ],
)  # fmt: skip
def test_what_a_user_can_mend_ends_without_a_traceback(error, code):
    with pytest.raises(SystemExit) as stopped, plain_errors():
        raise error
    assert stopped.value.code == code


def test_a_mistake_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), plain_errors():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("needed", "reason"),
    [
        (lambda: np.empty(2**58), "Unable to allocate 2.00 EiB for an array with shape .*"),
        (lambda: [None] * 2**59, "out of memory"),
    ],
)
def test_what_does_not_fit_into_memory_is_one_line(needed, reason):
    with pytest.raises(SystemExit) as stopped, plain_errors():
        needed()
    line = f"{reason}: smaller sizes in params\\.yaml need less"
    assert re.fullmatch(line, str(stopped.value.code))


def test_messages_go_to_stderr_with_exit_code_1(tmp_path):
    text = (tmp_path / "params.yaml").read_text()
    text = text.replace("lr: 0.03\n", "lr: -1\n", 1).replace("activation: tanh", "activation: tahn")
    (tmp_path / "params.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "stages.generate", "regression"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "params.yaml: tasks.regression.optimizers.sgd.lr: must be greater than 0, got -1\n"
        "params.yaml: tasks.moons.model.options.activation: must be one of relu, tanh, sigmoid; "
        "got 'tahn'\n"
    )


def test_make_repro_says_which_task_is_gone_before_dvc_runs(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    copy_repository(project)
    set_up_environment(project)
    edit_parameters(project, lambda parameters: parameters["tasks"].pop("classification"))
    with pytest.raises(AssertionError) as failed:
        run_command(project, "make", "repro")
    valid = "valid tasks are regression, moons, digits, sequence"
    assert [line for line in str(failed.value).splitlines() if not line.startswith("make")] == [
        f"params.yaml: sweeps.classification: unknown task; {valid}",
        f"params.yaml: checks.training.task: unknown task; {valid}",
    ]
