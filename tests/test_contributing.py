"""Everything that CONTRIBUTING, the Makefile and the hooks name exists and runs."""

import re
from pathlib import Path

import pytest
import yaml
from repository import ROOT, commit, copy_repository, run, set_up_environment

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
TARGETS = re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE)


def test_help_lists_every_target() -> None:
    lines = run(ROOT, "make", "help").splitlines()
    assert [line.split()[1] for line in lines] == TARGETS
    assert all(len(line.split(maxsplit=2)) == 3 for line in lines)  # each says what it does
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony.split() == TARGETS


def test_what_contributing_names_is_there() -> None:
    paths = re.findall(r"\]\((?:README.md#[\w-]+|([^)#]+))\)", CONTRIBUTING)
    paths += re.findall(r"\btests/[\w/]+(?:\.py)?", CONTRIBUTING)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert {*re.findall(r"(?:`|\$ )make ([a-z]+)", CONTRIBUTING)} <= {*TARGETS}


def test_the_hooks_are_valid() -> None:
    run(ROOT, "pre-commit", "validate-config")
    assert {hook["language"] for hook in HOOKS} == {"system"}  # nothing is downloaded


MISTAKES = {
    "ruff-check": "import os",
    "ruff-format": "x  =  1",
    "mypy": 'x: int = ""',
}


@pytest.mark.parametrize("hook", [hook["id"] for hook in HOOKS])
def test_a_hook_finds_a_mistake(hook: str, tmp_path: Path) -> None:
    copy_repository(tmp_path)
    set_up_environment(tmp_path)
    commit(tmp_path)
    file = tmp_path / "stages" / "split.py"
    command = ["pre-commit", "run", hook, "--files", "stages/split.py"]
    environment = {
        "PRE_COMMIT_HOME": str(tmp_path / ".git" / "pre-commit"),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
    }
    run(tmp_path, *command, **environment)
    with file.open("a") as code:
        code.write(f"\n\n{MISTAKES[hook]}\n")
    with pytest.raises(AssertionError, match="Failed"):
        run(tmp_path, *command, **environment)
