"""Settings and fixtures that all tests share."""

import fcntl
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from repository import cold_run

from stages import pin_kernels

# As a stage does, before NumPy and torch are loaded: tests compare what both compute.
assert not {"numpy", "torch"} & set(sys.modules)
pin_kernels()

# The test processes share the cores: more threads in each would only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

# The same examples each time; how long one takes says more about what else the machine does.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

# Tests that `make test` runs call make as users do: from a shell, not from another make.
for name in ("MAKEFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)

# A shell lets what it runs in the background ignore interrupts, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# These run first, so that no process waits for another at the end. The first makes `reproduced`,
# which the second does not need.
LONGEST = [
    *["test_end_to_end", "test_drawn", "test_muon", "test_readme", "test_experiments"],
    *["test_workflows", "test_contributing", "test_where", "test_sweep", "test_pipeline"],
    *["test_kills", "test_faults"],
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which everything has run, see `cold_run`, once for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "reproduced/.git/refs/heads/main").exists():  # not committed
            (folder / "reproduced").mkdir(exist_ok=True)
            cold_run(folder / "reproduced")
    return folder / "reproduced"


@pytest.fixture
def project(reproduced: Path, tmp_path: Path) -> Path:
    """A copy of the reproduced repository that a test may change."""
    return shutil.copytree(reproduced, tmp_path / "project", symlinks=True)


@pytest.fixture
def in_a_new_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
