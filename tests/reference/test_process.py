"""Processes for torch: what goes in, what comes out, and that no process outlives its use."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import full_disk
from repository import ROOT

from stages.reference.process import start
from stages.task.errors import InputError, in_words

Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Writes a module whose work is the given lines, and returns its name."""

    def write(lines: str) -> str:
        body = "\n".join(f"    {line}" for line in lines.strip().splitlines())
        (tmp_path / "worker.py").write_text(
            "import os, sys, time, warnings\n"
            "import numpy as np\n"
            "from stages.reference.process import answer\n"
            "from stages.task.errors import InputError\n"
            f"def work(settings, arrays):\n{body}\n"
            "if __name__ == '__main__':\n"
            "    answer(work)\n"
        )
        return "worker"

    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return write


def test_settings_and_arrays_arrive_and_results_come_back_bit_for_bit(module: Module) -> None:
    name = module(
        "assert settings == {'lr': 0.1, 'betas': [1e-300, 0.999], 'amsgrad': True, 'name': 'σ'}\n"
        "return {'x': arrays['x'], 'lr': np.array(settings['lr']), 'none': np.zeros((0, 3))}"
    )
    settings: dict[str, Any] = {"lr": 0.1, "betas": (1e-300, 0.999), "amsgrad": True, "name": "σ"}
    x = np.array([[0.1, -0.0, np.inf], [np.nan, 5e-324, 1 / 3]]).T
    with start(name, "native", settings, {"x": x}) as process:
        results = process.result()
    assert list(results) == ["lr", "none", "x"]
    assert results["x"].tobytes() == x.tobytes()
    assert results["x"].shape == (3, 2)
    assert results["lr"].item() == 0.1
    assert results["none"].shape == (0, 3)


def test_torch_has_the_arithmetic_asked_for_and_one_thread(
    module: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module(
        "import torch\n"
        "is_default = torch.backends.cpu.get_cpu_capability() == 'DEFAULT'\n"
        "return {'default': np.array(is_default), 'threads': np.array(torch.get_num_threads())}"
    )
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")  # native processes must ignore it
    with start(name, "ieee", None, {}) as ieee, start(name, "native", None, {}) as native:
        found = ieee.result(), native.result()
    assert [result["threads"] for result in found] == [1, 1]
    assert found[0]["default"]
    # Without vector units the native arithmetic is the default one, too: ask a new torch process.
    program = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    environment = {key: value for key, value in os.environ.items() if key != "ATEN_CPU_CAPABILITY"}
    fresh = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert found[1]["default"] == (fresh.stdout.strip() == b"DEFAULT")


def test_two_processes_work_side_by_side(module: Module, tmp_path: Path) -> None:
    name = module(
        "import pathlib\n"
        "here, there = map(pathlib.Path, settings)\n"
        "here.touch()\n"
        "deadline = time.monotonic() + 30\n"
        "while not there.exists():\n"
        "    assert time.monotonic() < deadline, 'the other did not start'\n"
        "    time.sleep(0.01)\n"
        "return {}"
    )
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    with start(name, "native", [a, b], {}) as one, start(name, "native", [b, a], {}) as other:
        assert one.result() == other.result() == {}


def test_bad_input_is_the_same_error_here(module: Module) -> None:
    name = module("raise InputError('lr: must be σ')")
    with start(name, "native", None, {}) as process, pytest.raises(InputError) as caught:
        process.result()
    assert str(caught.value) == "lr: must be σ"


def test_any_other_error_comes_with_its_traceback(module: Module) -> None:
    name = module("return {'x': 1 / 0}")
    with start(name, "native", None, {}) as process, pytest.raises(RuntimeError) as caught:
        process.result()
    first, *_, last = str(caught.value).splitlines()
    assert first == "worker ended with exit code 1:"
    assert "return {'x': 1 / 0}" in str(caught.value)
    assert last == "ZeroDivisionError: division by zero"


def test_a_process_that_is_killed_is_one_line(module: Module) -> None:
    name = module("os.kill(os.getpid(), 9)")
    with start(name, "native", None, {}) as process, pytest.raises(InputError) as caught:
        process.result()
    assert str(caught.value) == "worker was killed by SIGKILL, perhaps for want of memory"


@pytest.mark.parametrize("size", [10, 50_000])
def test_a_full_disk_is_an_error_with_the_name_of_the_file(module: Module, size: int) -> None:
    """On either side: the arrays do not fit on it, or the results do not."""
    name = module("return {'x': np.zeros(10_000)}")
    with (
        pytest.raises((InputError, OSError)) as caught,
        full_disk(size),
        start(name, "native", None, {"x": np.zeros(100)}) as process,
    ):
        process.result()
    pattern = r".+/(settings\.json|arrays\.safetensors|results\.safetensors): File too large"
    assert re.fullmatch(pattern, in_words(caught.value))


def test_an_unknown_module_is_an_error() -> None:
    name = "stages.reference.nothing"
    with start(name, "native", None, {}) as process, pytest.raises(RuntimeError) as caught:
        process.result()
    assert f"No module named {name}" in str(caught.value)


def test_warnings_are_passed_on(module: Module, capsys: pytest.CaptureFixture[str]) -> None:
    name = module("warnings.warn('a divergence')\nprint('x' * 10**6, file=sys.stderr)\nreturn {}")
    with start(name, "native", None, {}) as process:
        process.result()
    assert "UserWarning: a divergence" in capsys.readouterr().err


def test_the_block_ends_the_process_and_removes_its_files(
    module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module("open(settings, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    files = tmp_path / "files"
    files.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(files))
    with start(name, "native", str(tmp_path / "pid"), {}):
        pid = written_number(tmp_path / "pid")
        assert alive(pid)
        assert list(files.iterdir())
    assert not alive(pid)
    assert not list(files.iterdir())


@pytest.mark.parametrize(
    ("stop", "number", "code"),
    [
        pytest.param(os.killpg, signal.SIGINT, 130, id="Ctrl-C"),
        pytest.param(os.kill, signal.SIGINT, 130, id="kill -INT"),
        pytest.param(os.kill, signal.SIGKILL, -signal.SIGKILL, id="kill -KILL"),
    ],
)
def test_the_end_of_the_parent_ends_all_of_them_without_a_word(
    module: Module, tmp_path: Path, stop: Callable[[int, int], None], number: int, code: int
) -> None:
    """Ctrl-C reaches parent and children, `kill` the parent alone."""
    name = module("open(settings, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    script = (
        "from stages.reference.process import start\n"
        "from stages.task.command import plain_errors\n"
        f"with plain_errors(), start('{name}', 'ieee', 'a', {{}}) as a, "
        f"start('{name}', 'native', 'b', {{}}) as b:\n"
        "    a.result(), b.result()\n"
    )
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as parent:
        try:
            children = [written_number(tmp_path / "a"), written_number(tmp_path / "b")]
            assert all(map(alive, children))
            stop(parent.pid, number)
            printed, _ = parent.communicate(timeout=30)
        except BaseException:
            os.killpg(parent.pid, signal.SIGKILL)
            raise
    assert (parent.returncode, printed) == (code, b"")
    deadline = time.monotonic() + 10
    while any(map(alive, children)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written_number(path: Path) -> int:
    """The number in a file that another process is about to write."""
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} was never written"
        time.sleep(0.01)
    return int(path.read_text())


def alive(pid: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
