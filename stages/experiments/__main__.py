"""Many DVC experiments at once, on this machine or a cluster: `python -m stages.experiments`.

DVC's own queue stays on one machine. Here every experiment runs in a clone of its own, wherever the
blocks of a sweep would be trained (see stages/sweeps/where.py), and is pushed back to where it was
cloned from. All share this repository's DVC cache; one that is there already does not run again.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import get_hydra_sweeps
from hydra.errors import HydraException
from tqdm import tqdm

from stages.experiments.experiment import DVC, Experiment, call, run
from stages.sweeps.where import finished
from stages.task.command import plain_errors
from stages.task.errors import InputError


def main() -> None:
    """Runs what the command line asks for; exit code 1 if an experiment fails."""
    parser = ArgumentParser(prog="python -m stages.experiments", description=__doc__)
    parser.add_argument(
        *("-S", "--set-param"),
        action="append",
        required=True,
        metavar="[FILE:]PARAMETER=VALUE",
        help="as for `dvc exp run --queue`: 'training.batch_size=choice(16,32)', 'seed=range(1,9)'",
    )
    parser.add_argument(
        "--remote", help="where to clone from and push to (default: this repository)"
    )
    parser.add_argument("targets", nargs="*", help="the stages to run (default: all)")
    arguments = parser.parse_args()
    with plain_errors(), TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = folder  # so interrupted processes leave no clones behind
        run_all(planned(arguments.set_param, arguments.targets), arguments.remote)


def planned(overrides: Sequence[str], targets: Sequence[str]) -> list[Experiment]:
    """An experiment for each combination of values, in the syntax of DVC's queue."""
    try:
        points = get_hydra_sweeps(to_path_overrides(overrides))
    except (DvcException, HydraException) as error:
        raise InputError(f"--set-param: {str(error).splitlines()[0]}") from None
    experiments = []
    for point in points:
        values = [f"{file}:{override}" for file, given in point.items() for override in given]
        experiments.append(Experiment(tuple(values), tuple(targets)))
    return list(dict.fromkeys(experiments))


def run_all(experiments: Sequence[Experiment], remote: str | None) -> None:
    """Runs the experiments that are new, and brings the results of all into this repository.

    Raises InputError with a line for each experiment that failed.
    """
    changed = call("git", "status", "--porcelain").splitlines()
    if changed:
        raise InputError(f"{changed[0][3:]}: commit it, or `git stash -u`, as clones will lack it")
    here = str(Path.cwd())
    named = call("git", "ls-remote", "--get-url", remote).strip() if remote else here
    url = str(Path(named).resolve()) if Path(named).exists() else named
    there = call(*DVC, "exp", "list", "--name-only", url).split()
    done = [experiment.name for experiment in experiments if experiment.name in there]
    for name in done:
        print(f"{name} is there already")

    new = [experiment for experiment in experiments if experiment.name not in there]
    commit, cache = call("git", "rev-parse", "HEAD").strip(), call(*DVC, "cache", "dir").strip()
    Path(cache).mkdir(parents=True, exist_ok=True)
    work, failures = partial(run, remote=url, commit=commit, cache=cache), []
    with tqdm(total=len(new), unit="experiment", disable=not sys.stderr.isatty()) as progress:
        for number, failure in finished(work, new):
            name = new[number].name
            if failure:
                failures.append(f"{name}: {failure}")
            else:
                done.append(name)
                progress.write(f"{name} is done")
            progress.update()
    if url != here and done:
        call(*DVC, "exp", "pull", "--no-cache", url, *done)
    if failures:
        raise InputError("\n".join(sorted(failures)))


if __name__ == "__main__":
    main()
