"""One experiment of DVC, in a clone of its own: what a worker does."""

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.sweeps.where import ADDRESS
from stages.task.errors import InputError

DVC = (sys.executable, "-m", "dvc")


@dataclass(frozen=True)
class Experiment:
    """What `dvc exp run` is told: parameters to set, each as `file:parameter=value`, and stages."""

    overrides: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """Readable, and always the same for the same overrides and targets.

        >>> Experiment(("params.yaml:a.hidden=[16,16]",), ("evaluate@moons",)).name
        'hidden-16-16-eaffec8'
        """
        given = json.dumps([sorted(self.overrides), sorted(self.targets)])
        words = []
        for override in self.overrides:
            parameter, _, value = override.partition("=")
            words += re.findall(r"\w+(?:\.\w+)*", f"{re.split('[.:]', parameter)[-1]} {value}")
        return "-".join([*words, hashlib.sha256(given.encode()).hexdigest()[:7]])


def run(experiment: Experiment, remote: str, commit: str, cache: str) -> str | None:
    """Runs an experiment in a new clone and pushes it; returns why it failed, if it did.

    remote: the path or URL of a repository that has the `commit`
    cache: path of the DVC cache that all experiments share
    Raises InputError if there is no such commit or cache: then no experiment could run.
    """
    if not Path(cache).is_dir():
        raise InputError(f"{cache}: {socket.gethostname()} does not have this folder, the cache")
    with TemporaryDirectory(prefix="experiment-") as folder:
        clone = Path(folder, "clone")
        try:
            call("git", "clone", "--quiet", "--no-checkout", remote, str(clone))
            call("git", "checkout", "--quiet", "--detach", commit, folder=clone)
        except InputError as error:
            problem = f"cannot clone commit {commit[:7]}, which has to be pushed there: {error}"
            raise InputError(f"{remote}: {problem}") from None
        Path(clone, ".dvc", "config.local").write_text(f'[cache]\n    dir = "{cache}"\n')
        dvc = partial(call, *DVC, folder=clone, env=_environment(folder))
        overrides = [f"--set-param={override}" for override in experiment.overrides]
        try:
            dvc("exp", "run", "--name", experiment.name, *overrides, *experiment.targets)
            dvc("exp", "push", "--no-cache", "--force", "origin", experiment.name)
        except InputError as error:
            return str(error)
    return None


def _environment(folder: str) -> dict[str, str]:
    """This Python for the stages, one process for their sweeps, and `folder` for DVC's own files.

    An experiment for each core, or for each worker of a cluster, runs at once: each keeps to one.
    """
    own = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "LOKY_MAX_CPU_COUNT": "1",
        "DVC_SITE_CACHE_DIR": folder,
    }
    return {name: value for name, value in os.environ.items() if name != ADDRESS} | own


def call(*command: str, folder: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a command prints. Raises InputError with one line if it fails."""
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        raise InputError(reason(done.stderr) or f"{' '.join(command)} failed: {done.returncode}")
    return done.stdout


def reason(printed: str) -> str:
    r"""Why a command failed, from what it printed to stderr.

    That is the last line of the stage, before DVC reports it, or else what DVC or git says.

    >>> reason("a\nb\nERROR: failed to reproduce 'split@moons'")
    'b'
    """
    said, *error = re.split("^(?:ERROR|fatal): ", printed, maxsplit=1, flags=re.MULTILINE)
    lines = [line for line in said.splitlines() if line and not line.startswith("WARNING: ")]
    return lines[-1] if lines else "".join(error).partition("\n")[0]
