""".ci/compare_metrics.py passes what rounding changes, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT, commit, new_repository

METRICS = {
    "numpy": {"loss": 0.25, "step": None, "epochs": 10},
    "drift": {"p": 1e-15, "p_ulp": 3, "ulp_native": 7},
}


def compare(directory: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    """Commits METRICS to a new repository, changes them by dotted key, and compares."""
    new_repository(directory)
    path = directory / "metrics/task.json"
    path.parent.mkdir()
    path.write_text(json.dumps(METRICS))
    commit(directory)
    metrics = json.loads(path.read_text())
    for key, value in changes.items():
        section, _, name = key.partition(".")
        metrics[section][name] = value
    path.write_text(json.dumps(metrics))
    return subprocess.run(
        [sys.executable, ROOT / ".ci/compare_metrics.py"],
        cwd=directory,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"numpy.loss": 0.25 * (1 + 0.9e-6)},
        {"drift.p": 0.9e-12},
        {"drift.p_ulp": 4500},
        {"drift.ulp_native": 10**9},
        {"drift.ulp_native": None},
    ],
)
def test_rounding_passes(tmp_path: Path, changes: dict[str, object]) -> None:
    done = compare(tmp_path, **changes)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("6 metrics are as committed")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numpy.loss": 0.2500003}, "metrics/task.json.numpy.loss: was 0.25, is 0.2500003"),
        ({"numpy.loss": 0}, "metrics/task.json.numpy.loss: was 0.25, is 0"),
        ({"numpy.loss": None}, "metrics/task.json.numpy.loss: was 0.25, is None"),
        ({"numpy.loss": float("nan")}, "metrics/task.json.numpy.loss: was 0.25, is nan"),
        ({"numpy.step": 7}, "metrics/task.json.numpy.step: was None, is 7"),
        ({"numpy.epochs": 11}, "metrics/task.json.numpy.epochs: was 10, is 11"),
        ({"numpy.epochs": True}, "metrics/task.json.numpy.epochs: was 10, is True"),
        ({"drift.p": 2e-12}, "metrics/task.json.drift.p: was 1e-15, is 2e-12"),
        ({"drift.p_ulp": 4600}, "metrics/task.json.drift.p_ulp: was 3, is 4600"),
        ({"drift.q": 1.5}, "metrics/task.json.drift.q: is new, 1.5, and not committed"),
    ],
)
def test_a_change_fails(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    done = compare(tmp_path, **changes)
    assert (done.returncode, done.stderr) == (1, message + "\n")


def test_a_missing_file_fails(tmp_path: Path) -> None:
    compare(tmp_path)
    (tmp_path / "metrics/task.json").unlink()
    done = subprocess.run(
        [sys.executable, ROOT / ".ci/compare_metrics.py"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 1
    assert done.stderr.count(b"is gone") == 6
