"""The examples and commands in README and in docs/ do what is shown there."""

import doctest
import json
import math
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import ROOT, edit_parameters, run, set_up_environment, stages_run

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = "\n".join(page.read_text() for page in PAGES)


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def test_the_examples_in_the_readme_hold() -> None:
    results = [doctest.testfile(str(page), module_relative=False) for page in PAGES]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text().splitlines()) <= 150


def test_links_lead_to_what_is_there() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text()):
            if target.startswith("http"):
                continue
            linked = page.parent / target if target else page
            assert linked.exists(), f"{page.name}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
                assert anchor in [title.lower().replace(" ", "-") for title in titles]


def test_an_optimizer_of_ones_own(project: Path) -> None:
    code, reference = (block for block in blocks("python") if "class Lion" in block)
    checked, compared, selected = (
        yaml.safe_load(block) for block in blocks("yaml") if "lion" in block
    )
    assert len(code.splitlines()) < 30
    (project / "stages/own/lion.py").write_text(code)
    (project / "stages/own/lion_torch.py").write_text(reference)

    def edit(parameters: dict[str, Any]) -> None:
        parameters["checks"]["optimizers"] |= {"variants": {"SGD": [{}]}, "steps": 100}
        merge(parameters, checked)
        merge(parameters, selected)

    edit_parameters(project, edit)
    run(project, "dvc", "repro", "check_optimizers", "evaluate@classification")
    (shown,) = (json.loads(f"{{{block}}}") for block in blocks("json") if "Lion" in block)
    metrics = json.loads((project / "metrics/optimizers.json").read_text())
    assert metrics["Lion"] == shown["Lion"] | {"steps": 100}

    edit_parameters(project, lambda parameters: merge(parameters, compared))
    run(project, "dvc", "repro", "check_optimizers")
    metrics = json.loads((project / "metrics/optimizers.json").read_text())
    assert metrics["Lion"]["ulp_ieee"] == metrics["Lion"]["first_difference"] == 0

    quality = json.loads((project / "metrics/classification.json").read_text())
    assert quality["numpy"]["train_accuracy"] > 0.95
    assert quality["drift"]["loss"] < 1e-12  # torch takes our steps along its gradients

    (project / "stages/own/lion.py").write_text(code.replace("beta1 * self", "beta2 * self"))
    again = run(project, "dvc", "repro", "train_numpy@classification")
    assert "train_numpy@classification" in stages_run(again)


NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"

# What depends on the processor, and on how large the pipeline is.
ANY_NUMBERS = re.compile(r"drift|metrics moved|reused")

# Hashes of commits, widths of columns, and a file that DVC names only beside others like it.
IGNORED = re.compile(r"\b[0-9a-f]{7}(?= \[)|(?<=[\s─])[\s─]+|metrics/classification.json:")


def same(shown: str, printed: str) -> bool:
    """Whether a line is as README shows it: its numbers nearly, the rest of it to the letter."""
    shown, printed = (IGNORED.sub("", f"{line} ") for line in (shown, printed))
    if re.split(NUMBER, shown) != re.split(NUMBER, printed):
        return False
    numbers = zip(*(map(float, re.findall(NUMBER, line)) for line in (shown, printed)), strict=True)
    equal = all(math.isclose(first, second, rel_tol=1e-9) for first, second in numbers)
    return equal or bool(ANY_NUMBERS.search(shown))


def shows(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines under a command are what it printed; `...` stands for any lines."""
    match shown, printed:
        case ["...", *rest], _:
            return any(shows(rest, printed[start:]) for start in range(len(printed) + 1))
        case [line, *rest], [first, *others]:
            return same(line, first) and shows(rest, others)
    return not (shown or printed)


class Commands:
    """What README's console blocks have users type, section by section, and what they show."""

    def __init__(self) -> None:
        self.sections: dict[str, list[tuple[str, list[str]]]] = {}
        for part in re.split(r"^##+ ", README, flags=re.MULTILINE)[1:]:
            for block in re.findall(r"^```console\n(.*?)^```$", part, re.DOTALL | re.MULTILINE):
                for entry in block.removeprefix("$ ").split("\n$ "):
                    command, *shown = entry.splitlines()
                    section = self.sections.setdefault(part.splitlines()[0], [])
                    section.append((command.partition(" #")[0].rstrip(), shown))


COMMANDS = Commands().sections

# tests/experiments/test_experiments.py runs this section.
ELSEWHERE = {"Experiments"}

# A test that ran all tests would run itself.
INSTEAD = {"make test": "make --dry-run test"}


@pytest.fixture
def session(project: Path) -> Path:
    """A repository as it is after the first command."""
    set_up_environment(project)
    return project


def prepare(section: str, directory: Path) -> None:
    """What has to be there before the commands of a section."""
    if section == "Sweeps on a cluster":  # there is something to train
        edit_parameters(
            directory, lambda parameters: parameters["sweeps"]["classification"].update(seeds=3)
        )
    if section == "Your own data":
        (addition,) = (yaml.safe_load(block) for block in blocks("yaml") if "flowers" in block)
        edit_parameters(directory, lambda parameters: merge(parameters, addition))
        rows = ["petal_length,petal_width,species", "1,1,a", "2,2,b", "1,,a", "2,1,b"]
        (directory / "flowers.csv").write_text("\n".join(rows))


def typed(directory: Path, commands: list[tuple[str, list[str]]]) -> list[str]:
    """Types commands into one shell; returns what each printed, its exit code as the last line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    script = ["trap 'kill $(jobs -p)' EXIT"]  # Dask's
    for command, _ in commands:
        command = INSTEAD.get(command, command).replace("8786", port)
        if command.endswith("&"):
            command = command.replace("scheduler", f"scheduler --port {port} --no-dashboard")
            command = f"{command[:-1]} >/dev/null 2>&1 &"
        script.append(f"{command}\necho $?; echo '$ next'")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", "\n".join(["exec 2>&1", *script])],
        cwd=directory,
        env=os.environ | {"PATH": path, "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.split("$ next\n")[:-1]


def test_every_command_in_the_readme_does_what_it_shows(session: Path) -> None:
    problems = []
    for section, commands in COMMANDS.items():
        if section in ELSEWHERE:
            continue
        prepare(section, session)
        for (command, shown), text in zip(commands, typed(session, commands), strict=True):
            *printed, code = text.splitlines()
            if not (shows(shown, printed) if shown else code == "0"):
                problems.append(f"{section}: $ {command}\n{text}")
    assert not problems, "\n".join(problems)


def test_the_tables_of_experiments_are_no_wider_than_a_terminal() -> None:
    shown = [line for section in COMMANDS.values() for _, lines in section for line in lines]
    tables = [line for line in shown if not line.startswith("|")]  # of Markdown
    assert max(map(len, tables)) <= 120


def test_every_target_that_the_readme_names_is_there() -> None:
    named = re.findall(r"\bmake ([a-z]+)\b(?=[ `])", " ".join(re.findall(r"`[^`\n]+`", README)))
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {*named} <= {*targets}


def test_the_graph_is_what_dvc_prints() -> None:
    assert run(ROOT, "dvc", "dag", "--md", "--collapse-foreach-matrix").strip() in README


def test_the_drift_of_the_tasks_is_the_committed_one() -> None:
    for task in yaml.safe_load((ROOT / "params.yaml").read_text())["tasks"]:
        drift = json.loads((ROOT / "metrics" / f"{task}.json").read_text())["drift"]
        pattern = rf"^\| {task} \| \d+ \| \w.*\| (\S+) \| (\S+) \| (\S+) \|$"
        (row,) = re.findall(pattern, README, re.MULTILINE)
        shown = f"{drift['parameters']:.2g}", str(drift["parameters_ulp"]), f"{drift['cloud']:.2g}"
        assert row == shown
