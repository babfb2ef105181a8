"""Kills `make repro` and a sweep at random moments: do they go on, and come to the same bytes?

    PYTHONPATH=.:tests python tests/recovery/kills.py [kills [seed]]

Half of the kills of `make repro` are aimed at a moment at which DVC has written a part of dvc.lock.
test_kills.py has a few of them.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import yaml
from repository import cold_run, run, set_up_environment
from small_sweeps import NAME, classifier, outputs, start_sweep, sweep, write_parameters

from stages.task.files import Files

# Quick stages, some of which have to run in each round; it takes longer than these seconds.
STAGES = [
    *["generate@regression", "split@regression", "train_numpy@regression", "evaluate@regression"],
    *["generate@classification", "split@classification", "draw_sweep@classification"],
]
IN_A_ROUND = 2
REPRO, SWEEP = 3.0, 2.0

Process = subprocess.Popen[str]
Condition = Callable[[], bool]


@dataclass
class Outcome:
    """How many kills there were, what the runs after them mended, and what was lost."""

    kills: int = 0
    mended: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def kill_repro(project: Path, kills: int, random: Random) -> Outcome:
    """Kills `make repro` that often, in a repository in which everything has run before."""
    expected, lock = _data(project), project / "dvc.lock"

    def start() -> Process:
        return subprocess.Popen(
            ["make", "repro"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def moment() -> Condition:
        return _shrinks(lock) if random.random() < 0.5 else _after(random.uniform(0, REPRO))

    def lost() -> list[str]:
        data = _data(project)
        differing = [path for path in {**expected, **data} if expected.get(path) != data.get(path)]
        return run(project, "git", "status", "--short").splitlines() + differing

    def begin() -> None:
        _forget(project, random.sample(STAGES, IN_A_ROUND))

    return _kill(kills, begin, start, moment, lost)


def kill_sweep(folder: Path, kills: int, random: Random) -> Outcome:
    """Kills a sweep of 18 blocks that often, in an empty folder."""
    optimizers = {name: {"lr": [0.01, 0.1, 1]} for name in ("sgd", "adam", "rprop")}
    with chdir(folder):
        write_parameters(classifier(optimizers, seeds=6, training__epochs=300))
        expected, files = sweep(), Files(NAME)

        def begin() -> None:
            shutil.rmtree(files.blocks)
            for path in (files.sweep, files.sweep_metrics, files.curves):
                path.unlink()

        def lost() -> list[str]:
            differing = [name for name, content in outputs().items() if expected[name] != content]
            return differing + [str(path) for path in Path().rglob("*.part")]

        return _kill(kills, begin, start_sweep, lambda: _after(random.uniform(0, SWEEP)), lost)


def _kill(
    kills: int,
    begin: Callable[[], object],
    start: Callable[[], Process],
    moment: Callable[[], Condition],
    lost: Callable[[], list[str]],
) -> Outcome:
    """Kills in rounds, each of which ends with a run that comes to its end.

    begin: makes that there is something to do; start: starts a run; moment: chooses when to kill it
    lost: what differs from a run that was not killed
    """
    outcome = Outcome()
    while outcome.kills < kills and not outcome.lost:
        begin()
        ended = False
        while not ended:
            process, is_time = start(), moment() if outcome.kills < kills else lambda: False
            while not (ended := process.poll() is not None) and not is_time():
                time.sleep(0.0005)
            if not ended:
                os.killpg(process.pid, signal.SIGKILL)
                outcome.kills += 1
            printed, _ = process.communicate()
            mended = (line for line in printed.splitlines() if ": was left " in line)
            outcome.mended += mended
        outcome.lost += [printed] if process.returncode else lost()
    return outcome


def _after(seconds: float) -> Condition:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _shrinks(path: Path) -> Condition:
    """Whether the file has half its size."""
    size = path.stat().st_size
    return lambda: path.stat().st_size < size / 2


def _forget(project: Path, stages: list[str]) -> None:
    """Has the stages run again: deletes what they wrote, and what DVC remembers of runs."""
    locked = yaml.safe_load((project / "dvc.lock").read_bytes())["stages"]
    for out in (out for stage in stages for out in locked[stage]["outs"]):
        (project / out["path"]).unlink()
    shutil.rmtree(project / ".dvc/cache/runs")


def _data(project: Path) -> dict[str, bytes]:
    """All files in data/, which git does not know."""
    files = (path for path in (project / "data").rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def main(kills: int, seed: int) -> int:
    """Prints a summary; returns 1 if anything was lost."""
    with TemporaryDirectory() as name:
        project, folder = Path(name, "project"), Path(name, "sweep")
        project.mkdir()
        folder.mkdir()
        cold_run(project)
        set_up_environment(project)
        of_repro = kill_repro(project, kills - kills // 4, Random(seed))
        of_sweep = kill_sweep(folder, kills // 4, Random(seed))
    for what, outcome in (("make repro", of_repro), ("a sweep", of_sweep)):
        counts = f"{outcome.kills} kills, {len(outcome.mended)} mended, {len(outcome.lost)} lost"
        print(f"{what}: {counts}", *outcome.lost, sep="\n")
    return bool(of_repro.lost or of_sweep.lost)


if __name__ == "__main__":
    kills, seed = [*map(int, sys.argv[1:]), *(100, 1)[len(sys.argv) - 1 :]]
    sys.exit(main(kills, seed))
