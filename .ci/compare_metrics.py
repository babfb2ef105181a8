"""Compares the metrics in the work tree with the committed ones: exit code 1 where they differ."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RELATIVE = 1e-6

# How far apart the twins are is a matter of rounding, and processors round differently. What the
# twins promise is a bound: below it, any two values are as good as each other. The bound on a
# distance in units in the last place (a key with "ulp") is the same one, counted in those of 1.0.
ABSOLUTE = 1e-12
ULP = ABSOLUTE / sys.float_info.epsilon

# What torch's native kernels make of it depends on the processor: it has to be there, no more.
OF_THE_PROCESSOR = re.compile(r"(ulp_native|_float32|sweep\.json\.drift\.\w+_loss)$")


def leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    """Every value in nested dictionaries and lists, by its dotted key."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{key}.{index}")
    else:
        yield key, value


def same(key: str, committed: object, reproduced: object) -> bool:
    """Whether a metric has not changed; as a float, within the tolerances above."""
    if OF_THE_PROCESSOR.search(key):
        return True
    if type(committed) is not type(reproduced):
        return False
    if isinstance(committed, int | float) and isinstance(reproduced, int | float):
        if "ulp" in key.rpartition(".")[2]:
            return math.isclose(committed, reproduced, rel_tol=RELATIVE, abs_tol=ULP)
        if isinstance(committed, float):
            return math.isclose(committed, reproduced, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return committed == reproduced


def compare(committed: dict[str, object], reproduced: dict[str, object]) -> list[str]:
    """A line for each metric that is gone, new or changed."""
    problems = []
    for key in sorted(committed.keys() | reproduced.keys()):
        if key not in reproduced:
            problems.append(f"{key}: is gone, was {committed[key]!r}")
        elif key not in committed:
            problems.append(f"{key}: is new, {reproduced[key]!r}, and not committed")
        elif not same(key, committed[key], reproduced[key]):
            problems.append(f"{key}: was {committed[key]!r}, is {reproduced[key]!r}")
    return problems


def git(*arguments: str) -> str:
    """What a git command prints."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Compares metrics/ of HEAD with metrics/ of the current folder, the root of a repository."""
    listed = git("ls-tree", "-r", "--name-only", "-z", "HEAD", "metrics/").split("\0")
    texts = {name: git("show", f"HEAD:{name}") for name in listed if name.endswith(".json")}
    committed = dict(leaf for name in texts for leaf in leaves(json.loads(texts[name]), name))
    reproduced = dict(
        leaf
        for path in Path("metrics").rglob("*.json")
        for leaf in leaves(json.loads(path.read_text()), path.as_posix())
    )
    if not committed:
        sys.exit("metrics: none are committed")
    if problems := compare(committed, reproduced):
        sys.exit("\n".join(problems))
    print(f"{len(committed)} metrics are as committed, within a relative {RELATIVE:g}.")


if __name__ == "__main__":
    main()
