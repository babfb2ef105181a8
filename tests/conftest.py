"""Settings of all tests."""

import fcntl
import os
import shutil
import signal
from pathlib import Path

import pytest
from repository import cold_run

# The test processes share the cores: more threads in each of them only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

# Those that `make test` starts run make as users do, from a shell and not from another make.
for name in ("MAKEFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)

# In the background of a shell an interrupt is ignored, by what the tests start and interrupt, too.
signal.signal(signal.SIGINT, signal.default_int_handler)

# These begin, so that no process has to wait for another at the end. The first is the one whose
# fixture the others wait for; the second does not need it.
LONGEST = [
    *["test_end_to_end", "test_drawn", "test_readme", "test_experiments", "test_workflows"],
    *["test_contributing", "test_where", "test_sweep", "test_muon", "test_pipeline"],
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
