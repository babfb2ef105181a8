"""params.yaml is in the style that `dvc exp run -S` leaves alone.

DVC writes the file anew whenever it sets a parameter. Lists that are in no braces become blocks,
without the comments in them, and lines of more than 80 characters are broken.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.utils.hydra import apply_overrides  # what `dvc exp run -S` calls
from repository import ROOT, copy_repository, run, set_up_environment

TEXT = (ROOT / "params.yaml").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "params.yaml", tmp_path))


def leaves(node: yaml.Node, *keys: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """The values that are neither sections nor lists, by the names that `-S` takes."""
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                yield from leaves(value, *keys, key.value)
        case yaml.SequenceNode():
            for index, value in enumerate(node.value):
                yield from leaves(value, *keys, str(index))
        case yaml.ScalarNode():
            yield ".".join(keys), node


def another(value: Any) -> Any:
    """A value of the same type."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value * 1.5 or 0.5
    return f"{value}s"


def put(content: Any, name: str, value: Any) -> None:
    *path, last = [int(key) if key.isdigit() else key for key in name.split(".")]
    for key in path:
        content = content[key]
    content[last] = value


def test_dvc_leaves_the_file_as_it_is(path: Path) -> None:
    apply_overrides(path, [])
    assert path.read_text() == TEXT, "`make params` brings params.yaml into the style of DVC"


# A line has at most as many leaves. The first of every line are changed at once, then the second,
# and so on: for each leaf alone, DVC would read and write the whole file.
@pytest.mark.parametrize("place", range(4))
def test_to_set_a_parameter_changes_its_line_only(path: Path, place: int) -> None:
    by_line: dict[int, list[tuple[str, yaml.ScalarNode]]] = {}
    for name, node in leaves(yaml.compose(TEXT)):
        by_line.setdefault(node.start_mark.line, []).append((name, node))
    assert max(map(len, by_line.values())) <= 4
    chosen = {line: found[place] for line, found in by_line.items() if len(found) > place}

    content, overrides = yaml.safe_load(TEXT), []
    for name, node in chosen.values():
        value = another(yaml.safe_load(node.value))
        put(content, name, value)
        overrides.append(f"{name}={str(value).lower() if isinstance(value, bool) else value}")
    apply_overrides(path, overrides)

    written = path.read_text()
    assert yaml.safe_load(written) == content
    before, after = TEXT.splitlines(), written.splitlines()
    changed = [line for line, text in enumerate(before) if after[line] != text]
    assert (len(after), changed) == (len(before), sorted(chosen))
    for line, (name, node) in chosen.items():
        column = node.start_mark.column
        assert after[line][:column] == before[line][:column], name
        assert after[line].partition("#")[2] == before[line].partition("#")[2], name


@pytest.mark.parametrize("task", ["regression", "moons"])
def test_to_set_a_list_changes_its_lines_only(path: Path, task: str) -> None:
    apply_overrides(path, [f"tasks.{task}.model.options.hidden=[7,8,9]"])
    start = TEXT.index("        hidden:", TEXT.index(f"  {task}:\n    data:"))
    stop = TEXT.index("        activation:", start)
    block = "        hidden:\n        - 7\n        - 8\n        - 9\n"
    assert path.read_text() == TEXT[:start] + block + TEXT[stop:]


def test_make_params_brings_it_into_that_style(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    set_up_environment(tmp_path)
    path = tmp_path / "params.yaml"
    by_hand = TEXT.replace("hidden:\n        - 16\n        - 16\n", "hidden: [16, 16]\n")
    assert by_hand != TEXT
    path.write_text(by_hand)
    run(tmp_path, "make", "params")
    assert path.read_text() == TEXT
