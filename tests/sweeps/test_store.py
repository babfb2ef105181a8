"""A store keeps whole blocks, and returns them only under the settings they were made with."""

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import ROOT
from small_sweeps import NAME, classifier, plan_blocks, same
from trainings import Task

from stages.sweeps import store
from stages.sweeps.blocks import Block
from stages.sweeps.store import Store
from stages.task.files import Files

pytestmark = pytest.mark.usefixtures("in_a_new_directory")

RESULTS = {
    "steps": np.array([3, 0]),
    "train_loss": np.array([0.1, np.nan]),
    "test_loss": np.array([-0.0, np.inf]),
}


def task(**changes: Any) -> Task:
    return classifier({"sgd": {"lr": [0.1, 0.2]}, "adam": {"lr": [0.1, 0.2]}}, **changes)


def open_store(of: Task) -> Store:
    return Store(Path("blocks"), of.model, of.training, [Files(NAME).train, Files(NAME).test])


def kept() -> tuple[Store, Block, Path]:
    """A store with one block, the block, and its file."""
    here, block = open_store(task()), plan_blocks(task())[0]
    here.write(block, RESULTS)
    (path,) = Path("blocks").iterdir()
    return here, block, path


def test_results_come_back_bit_for_bit() -> None:
    here, block, _ = kept()
    read = here.read(block)
    assert read is not None
    assert read.keys() == RESULTS.keys()
    assert all(same(read[name], values) for name, values in RESULTS.items())
    assert open_store(task()).read(block) is not None
    assert [here.read(other) for other in plan_blocks(task())[1:]] == [None] * 3


def test_no_results_without_the_folder() -> None:
    assert open_store(task()).read(plan_blocks(task())[0]) is None


OTHERS: dict[str, Callable[[Task, Block], tuple[Task, Block]]] = {
    "seed": lambda of, block: (of, replace(block, seed=block.seed + 1)),
    "points": lambda of, block: (of, replace(block, points={"lr": np.array([0.1, 0.3])})),
    "fewer points": lambda of, block: (of, replace(block, points={"lr": np.array([0.1])})),
    "axis": lambda of, block: (of, replace(block, points={"momentum": np.array([0.1, 0.2])})),
    "optimizer": lambda of, block: (of, replace(block, kind=plan_blocks(of)[2].kind)),
    "class": lambda of, block: (of, replace(block, fixed={"class": "stages.own.mine.Mine"})),
    "epochs": lambda _, block: (task(training__epochs=4), block),
    "batches": lambda _, block: (task(training__batch_size=10), block),
    "model": lambda _, block: (task(model__options__hidden=[11]), block),
    "dtype": lambda _, block: (task(model__dtype="float32"), block),
}


@pytest.mark.parametrize("what", OTHERS)
def test_results_are_not_those_of_other_settings(what: str) -> None:
    _, block, _ = kept()
    other_task, other_block = OTHERS[what](task(), block)
    assert open_store(other_task).read(other_block) is None


def test_results_are_not_those_of_other_samples() -> None:
    for path in (Files(NAME).train, Files(NAME).test):
        _, block, kept_file = kept()
        path.write_bytes(path.read_bytes() + b"\0")
        assert Store(Path("blocks"), task().model, task().training, [path]).read(block) is None
        kept_file.unlink()


def test_results_are_not_those_of_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    stages = Path("stages").absolute()
    shutil.copytree(ROOT / "stages", stages, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(store, "STAGES", stages)
    _, block, _ = kept()
    assert open_store(task()).read(block) is not None
    for package in store.PACKAGES:
        (file := stages / package / "new.py").touch()
        assert open_store(task()).read(block) is None, package
        file.unlink()
        one, *_ = (stages / package).glob("*.py")
        one.write_text((before := one.read_text()) + "#")
        assert open_store(task()).read(block) is None, package
        one.write_text(before)
    (stages / "figures" / "new.py").touch()
    assert open_store(task()).read(block) is not None
    monkeypatch.setattr(np, "__version__", "0.0")
    assert open_store(task()).read(block) is None


def test_results_stay_those_of_a_block_wherever_it_is_in_the_sweep() -> None:
    """More seeds, other optimizers, another first seed: only blocks that are new are computed."""
    _, block, _ = kept()
    changed = classifier(
        {"adam": {"lr": 1}, "mine": {"lr": [0.1]} | {"class": "a.B"}, "sgd": {"lr": [0.1, 0.2]}},
        seeds=5,
        training__seed=task().training.seed - 1,
        training__snapshots=2,
    )
    found = [open_store(changed).read(other) is not None for other in plan_blocks(changed)]
    assert found == [False] * 11 + [True] + [False] * 3
    assert (plan_blocks(changed)[11].rows != block.rows).all()


def test_a_damaged_file_is_not_read() -> None:
    here, block, path = kept()
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert here.read(block) is None, length
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert here.read(block) is None, place
    path.write_bytes(content)
    assert here.read(block) is not None


@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()], ids=type
)
def test_a_file_that_is_written_by_half_is_not_read(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a full disk names no file by itself."""
    write = Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise failure

    here, block = open_store(task()), plan_blocks(task())[0]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail)
        with pytest.raises(type(failure)) as caught:
            here.write(block, RESULTS)
    if isinstance(caught.value, OSError):
        assert caught.value.strerror == "No space left on device"
        assert Path(caught.value.filename).parent == Path("blocks")
    assert list(Path("blocks").iterdir()) == []
    assert here.read(block) is None
    here.write(block, RESULTS)
    assert here.read(block) is not None


def test_what_belongs_to_no_block_is_deleted() -> None:
    here, block, path = kept()
    one, other, *_ = plan_blocks(task())
    here.write(other, RESULTS)
    Path("blocks", "killed.part").touch()
    (folder := Path("blocks", "of somebody")).mkdir()
    here.keep_only([one])
    assert sorted(Path("blocks").iterdir()) == sorted([folder, path])
    assert here.read(block) is not None
