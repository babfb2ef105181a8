"""Sweeps of whole experiments: by DVC's queue, and in clones, here and on a cluster."""

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster
from repository import ROOT, run

from stages.experiments import experiment
from stages.experiments.__main__ import planned
from stages.experiments.experiment import Experiment
from stages.task.errors import InputError

HIDDEN = "tasks.classification.model.options.hidden"
TARGET = "evaluate@classification"  # as in README
TRAININGS = {"train_numpy classification", "train_torch classification"}

# As it starts, every Python process notes its command in a file that all clones share.
NOTE = """
import os, sys
with open(os.environ["NOTES"], "a") as notes:
    print(*sys.orig_argv[1:], file=notes)
"""


class Project:
    """A repository in which stages have run, and a bare one that it was pushed to."""

    def __init__(self, folder: Path) -> None:
        self.root, self.origin, self.notes = folder / "root", folder / "origin", folder / "notes"
        (folder / "sitecustomize.py").write_text(NOTE)
        self.environment = {"NOTES": str(self.notes), "PYTHONPATH": str(folder)}

    def run(self, *command: str) -> str:
        """What a command prints, which must succeed."""
        return run(self.root, *command, **self.environment)

    def sweep(self, *arguments: str, **environment: str) -> tuple[int, list[str], list[str]]:
        """Exit code of `python -m stages.experiments`, and its lines of stdout and of stderr."""
        own = self.environment | {"LOKY_MAX_CPU_COUNT": "2"}
        command = [sys.executable, "-m", "stages.experiments", *arguments]
        environment = os.environ | own | environment
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    def stages(self) -> Counter[str]:
        """The stages that have run since this was last asked, and how often."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        found = [re.fullmatch(r"-m stages\.((?!experiments)\w+ .*)", line) for line in lines]
        return Counter(match[1] for match in found if match)

    def shown(self) -> dict[str, Any]:
        """What `dvc exp show` has of each experiment on HEAD, by name."""
        _, head = json.loads(self.run("dvc", "exp", "show", "--json"))
        return {one["name"]: one["revs"][0]["data"] for one in head["experiments"] or []}


def hidden(data: dict[str, Any]) -> list[int]:
    tasks = data["params"]["params.yaml"]["data"]["tasks"]
    return tasks["classification"]["model"]["options"]["hidden"]


def metrics(data: dict[str, Any]) -> dict[str, Any]:
    return data["metrics"]["metrics/classification.json"]["data"]


def name(override: str, *targets: str) -> str:
    return Experiment((f"params.yaml:{override}",), targets).name


@pytest.fixture(scope="module")
def project(reproduced: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("experiments"))
    shutil.copytree(reproduced, project.root, symlinks=True)
    project.run("git", "init", "--quiet", "--bare", str(project.origin))
    project.run("git", "remote", "add", "origin", str(project.origin))
    project.run("git", "push", "--quiet", "origin", "HEAD")
    return project


def test_experiments_run_once_and_one_that_fails_stops_no_other(project: Project) -> None:
    one, none, two = (name(f"{HIDDEN}={value}", TARGET) for value in ("[16]", "[0]", "[16,16]"))
    code, printed, errors = project.sweep(
        "--remote", "origin", "-S", f"{HIDDEN}=choice([16],[0],[16,16])", TARGET
    )
    assert errors == [f"{none}: params.yaml: {HIDDEN}[0]: must be at least 1, got 0"]
    assert (code, sorted(printed)) == (1, sorted([f"{one} is done", f"{two} is done"]))

    stages = project.stages()  # the others came out of the shared cache
    assert set(stages) == {"evaluate classification"} | TRAININGS
    assert stages["evaluate classification"] == 2
    assert sum(stages[training] for training in TRAININGS) == 4  # of the third, none

    pushed = run(project.origin, "git", "for-each-ref", "--format=%(refname)", "refs/exps")
    assert sorted(Path(ref).name for ref in pushed.splitlines()) == sorted([one, two])
    shown = project.shown()
    assert {key: hidden(data) for key, data in shown.items()} == {one: [16], two: [16, 16]}
    assert project.run("git", "status", "--short") == ""

    # What a clone trained is in the cache of this repository, with the metrics it reported.
    project.run("git", "checkout", "--quiet", shown[two]["rev"])
    project.run("dvc", "checkout", "--quiet", "--allow-missing")
    project.run("python", "-m", "stages.evaluate", "classification")
    measured = json.loads((project.root / "metrics/classification.json").read_text())
    assert measured == metrics(shown[two]) != metrics(shown[one])
    project.run("git", "checkout", "--quiet", "-")
    project.stages()

    code, printed, errors = project.sweep(
        "--remote", "origin", "-S", f"{HIDDEN}=choice([16,16],[16])", TARGET
    )
    assert (code, errors) == (0, [])
    assert printed == [f"{two} is there already", f"{one} is there already"]
    assert not project.stages()


def test_the_readme_sweeps_with_the_queue_and_with_clones(project: Project) -> None:
    readme = (ROOT / "docs/sweeping.md").read_text()
    section = readme.partition("\n### Experiments\n")[2].partition("\n## ")[0]
    queue, clones = re.findall(r"^```console\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    command, *lines = clones.splitlines()
    _, *arguments = command.split("$ python -m stages.experiments ")
    code, printed, errors = project.sweep(*shlex.split(*arguments))
    names = [line.removesuffix(" is done") for line in lines]
    assert (code, sorted(line.split()[0] for line in printed), errors) == (0, sorted(names), [])
    project.stages()
    shutil.rmtree(project.root / ".dvc/cache/runs")  # else the queue takes what the clones have run

    *_, table = (project.run(*shlex.split(line[2:])) for line in re.findall(r"\$ .*", queue))
    assert HIDDEN in table
    assert max(map(len, table.splitlines())) <= 130
    assert project.stages() == dict.fromkeys({"evaluate classification"} | TRAININGS, 2)
    shown = project.shown()
    for key in names:  # the queue has the same metrics
        queued = [data for other, data in shown.items() if other not in names]
        (same,) = (data for data in queued if hidden(data) == hidden(shown[key]))
        assert metrics(shown[key]) == metrics(same)


def test_a_cluster_runs_an_experiment(project: Project, tmp_path: Path) -> None:
    override, targets = "tasks.classification.split.seed=7", ["split@classification", "generate"]
    with Cluster(tmp_path, **project.environment) as cluster:
        cluster.worker()
        code, printed, errors = project.sweep(
            "-S", override, *targets, DASK_SCHEDULER_ADDRESS=cluster.address
        )
    errors = [line for line in errors if "has no workers yet" not in line]
    assert (code, printed, errors) == (0, [f"{name(override, *targets)} is done"], [])
    assert project.stages() == {"split classification": 1}  # neither task is generated again
    parameters = project.shown()[name(override, *targets)]["params"]["params.yaml"]["data"]
    assert parameters["tasks"]["classification"]["split"]["seed"] == 7


def test_what_no_clone_would_have_is_refused(project: Project, tmp_path: Path) -> None:
    arguments = ["-S", f"{HIDDEN}=[5]", TARGET]
    run(tmp_path, "git", "init", "--quiet", "--bare")
    code, _, (line,) = project.sweep("--remote", str(tmp_path), *arguments)
    head = project.run("git", "rev-parse", "HEAD")
    message = f"{tmp_path}: cannot clone commit {head[:7]}, which has to be pushed there: "
    assert (code, line[: len(message)]) == (1, message)

    (project.root / "notes").touch()
    code, _, errors = project.sweep(*arguments)
    (project.root / "notes").unlink()
    assert (code, errors) == (1, ["notes: commit it, or `git stash -u`, as clones will lack it"])
    assert not project.stages()


def test_values_are_given_as_to_the_queue() -> None:
    experiments = planned(["a.b=choice([8],[16, 16],[8])", "other.yaml:c=range(1,3)", "d=x"], ["s"])
    assert [one.overrides for one in experiments] == [
        (f"params.yaml:a.b={b}", "params.yaml:d=x", f"other.yaml:c={c}")
        for b in ("[8]", "[16,16]")
        for c in (1, 2)
    ]
    assert {one.targets for one in experiments} == {("s",)}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("a=choice(1", "--set-param: no viable alternative at input 'choice(1'"),
        ("a", "--set-param: Error parsing override 'a'"),
        ("a=glob(*)", "--set-param: Glob override 'a=glob(*)' is not supported."),
    ],
)
def test_a_mistake_in_a_value_is_one_line(override: str, message: str) -> None:
    with pytest.raises(InputError) as failure:
        planned([override], [])
    assert str(failure.value) == message


def test_a_name_says_what_differs_and_is_one_for_git() -> None:
    one = Experiment(("params.yaml:a.lr=1e-3", "params.yaml:a.hidden=[16,8]"), ("s", "t"))
    assert one.name.startswith("lr-1e-3-hidden-16-8-")
    again = Experiment(one.overrides[::-1], one.targets[::-1])
    assert again.name.rpartition("-")[2] == one.name.rpartition("-")[2]
    others = [
        Experiment(one.overrides, ("s",)),
        Experiment(("params.yaml:a.lr=1e-3", "params.yaml:b.hidden=[16,8]"), one.targets),
        Experiment(("p.yaml:x=../a b~^:?*[\\@{.lock",), ()),
    ]
    assert len({each.name for each in [one, *others]}) == 4
    for each in others:
        run(ROOT, "git", "check-ref-format", f"refs/exps/12/34/{each.name}")


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (
            "moons.csv: no such file\nERROR: failed to reproduce 'generate@moons'\n",
            "moons.csv: no such file",
        ),
        (
            "WARNING: slow\nERROR: Key 'x' is not in struct\n    full_key: x\n",
            "Key 'x' is not in struct",
        ),
        ("fatal: not a repository\n\nPlease look.\n", "not a repository"),
        ("", ""),
    ],
)
def test_the_reason_of_a_failure(printed: str, expected: str) -> None:
    assert experiment.reason(printed) == expected


def test_the_examples_hold() -> None:
    assert doctest.testmod(experiment) == (0, 2)
