"""What a stage cannot read or cannot write is one line with its path."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import chdir
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from repository import ROOT
from safetensors.numpy import save

from stages.task.command import plain_errors, run
from stages.task.files import CODE
from stages.task.parameters import read_parameters

# Nothing, and something else in the same format.
DAMAGES = {
    ".csv": [b"", b"a,b\n1,2\n"],
    ".json": [b"[]", b"{}"],
    ".parquet": [b""],
    ".safetensors": [b"", save({"a": np.zeros(3)})],
    ".png": [b""],
    ".gif": [b""],
    ".svg": [b"", b"<p>no picture</p>"],
}
OF_TASK = ["generate", "split", "train_numpy", "evaluate", "draw", "sweep", "draw_sweep"]
STAGES = [*(f"{stage}@regression" for stage in OF_TASK), "draw_checks", "report"]

# What the report has as vectors: drawn anew, or out of graph.svg.
DRAWN = {"loss.png", "sweep.png", "variants.png", "drift.png", "graph.png"}


pytestmark = pytest.mark.usefixtures("_project")


@pytest.fixture(scope="module")
def _project(reproduced: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A copy of the reproduced repository, without DVC, to damage and to mend."""
    copy = tmp_path_factory.mktemp("faults") / "project"
    shutil.copytree(reproduced, copy, ignore=shutil.ignore_patterns(".dvc", ".git"))
    with chdir(copy):
        yield


def run_stage(stage: str) -> None:
    module, _, task = stage.partition("@")
    main = import_module(f"stages.{module}").main
    if module == "report":
        with plain_errors():
            main(read_parameters(), yaml.safe_load(Path("params.yaml").read_bytes()))
    else:
        run(main, [task] if task else [])


def failure(stage: str) -> str:
    """What a stage says that runs in this process and has to fail."""
    with pytest.raises(SystemExit) as caught:
        run_stage(stage)
    return str(caught.value.code)


def paths(stage: str, kind: str) -> list[Path]:
    """The files that stages wrote among the dependencies, or outputs, of a stage."""
    locked = yaml.safe_load(Path("dvc.lock").read_bytes())["stages"][stage]
    every = [Path(each["path"]) for each in locked[kind]]
    files = [file for path in every for file in (path.rglob("*.*") if path.is_dir() else [path])]
    written = ("data", "metrics", "plots", "report.html")
    no_code = (file for file in files if file.parts[:2] != CODE.parts)
    return [file for file in no_code if file.parts[0] in written]


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_damaged_file_is_one_line(stage: str) -> None:
    files = [file for file in paths(stage, "deps") if file.name not in DRAWN]
    assert files
    for file in files:
        content = file.read_bytes()
        for damage in DAMAGES[file.suffix]:
            file.write_bytes(damage)
            said = failure(stage)
            assert re.fullmatch(rf"{re.escape(str(file))}: is damaged \(.+\); delete it.+", said)
        file.write_bytes(content)


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_is_one_line(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # a disk does not say whose

    monkeypatch.setattr(Path, "write_bytes", write)
    path, _, why = failure(stage).partition(": ")
    assert Path(path) in paths(stage, "outs")
    assert why == "No space left on device"


def test_every_file_is_written_by_the_one_function_that_writes_it_whole() -> None:
    """Where a stage would write a file otherwise, the tests above might not see it."""
    others = ("review", "experiments", "recovery")  # no stages
    for path in sorted((ROOT / "stages").rglob("*.py")):
        if path.relative_to(ROOT / "stages").parts[0] in others or path.name == "files.py":
            continue
        writing = re.findall(
            r"write_(?:text|bytes)\(.*|savefig\(.*|open\(.*[\"'][wa]b?[\"'].*", path.read_text()
        )
        assert writing == [], path
