"""The lists of the code that stages run."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from repository import ROOT, edit_parameters, run

from stages.code import Imports, closure, code_of_stages, named

PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PARAMETERS = yaml.safe_load((ROOT / "params.yaml").read_text())
LISTS = dict(code_of_stages(PIPELINE, PARAMETERS))

# In a process of its own: the files of the project among what a stage has loaded after its import.
LOADED = """
import importlib, pathlib, sys
importlib.import_module(f"stages.{sys.argv[1]}")
files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
paths = (pathlib.Path(file) for file in files if file)
print(*(path.relative_to(pathlib.Path.cwd()) for path in paths if path.is_relative_to("stages")
        or path.is_relative_to(pathlib.Path.cwd() / "stages")))
"""


@pytest.mark.parametrize("name", [name for name in LISTS if "/" not in name or "moons" in name])
def test_a_list_has_all_that_python_loads(name: str) -> None:
    stage = name.partition("/")[0]
    command = [sys.executable, "-c", LOADED, stage]
    loaded = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert {*loaded.split()} <= {*map(str, LISTS[name])}
    assert f"stages/{stage}.py" in loaded.split()


def test_a_file_counts_only_where_it_is_imported() -> None:
    other = {"stages/sweep.py", "stages/graph/graph.py", "stages/pages/page.css"}
    assert not other & {*map(str, LISTS["split/moons"])}
    assert other <= {*map(str, LISTS["report"] + LISTS["sweep/moons"])}


@pytest.mark.parametrize(
    ("code", "found", "started"),
    [
        ("import json\nimport a.b", {"json", "a.b"}, set()),
        ("from stages.graph import Graph", {"stages.graph", "stages.graph.Graph"}, set()),
        ("from . import other", {"package", "package.other"}, set()),
        ("from .other import x", {"package.other", "package.other.x"}, set()),
        ("def f():\n    import late", {"late"}, set()),
        ("if TYPE_CHECKING:\n    import types", set(), set()),
        ("process.start('stages.reference.ieee', 1)", set(), {"stages.reference.ieee"}),
    ],
)
def test_what_a_file_imports(
    code: str, found: set[str], started: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("package").mkdir()
    file = Path("package/module.py")
    file.write_text(code)
    read = Imports(file)
    assert (read.found, read.started) == (found, started)


def test_what_a_file_imports_imports_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one").mkdir()
    files = {"one/__init__.py": "", "one/two.py": "import one.three", "one/three.py": "import one"}
    for path, code in files.items():
        Path(path).write_text(code)
    assert {*map(str, closure([Path("one/two.py")]))} == {*files}
    assert [*named({"a": ["stages.one", "one/two.py", "no/file.py", 1, None]})] == [
        Path("one/two.py")
    ]


def test_an_optimizer_of_ones_own_counts_for_what_names_it(project: Path) -> None:
    """A new file alone changes no list; its name changes those of the stages that read it."""
    (project / "stages/own/climb.py").write_text("class Climb: ...\n")
    before = lists(project)
    (project / "stages/own/climb.py").write_text("import stages.own\n\n\nclass Climb: ...\n")
    assert lists(project) == before
    own = {"class": "stages.own.climb.Climb"}
    edit_parameters(project, lambda p: p["tasks"]["regression"]["optimizers"].update(mine=own))
    assert lists(project) == before  # it is not selected
    edit_parameters(project, lambda p: p["tasks"]["regression"].update(optimizer="mine"))
    after = lists(project)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"train_numpy/regression", "train_torch/regression"}
    assert "  stages/own/climb.py\n" in after["train_numpy/regression"]


def lists(project: Path) -> dict[str, str]:
    """The lists as the stage writes them, by name, but for that of the report."""
    run(project, "python", "-m", "stages.code")
    folder = project / "data/code"
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {str(path.relative_to(folder)): path.read_text() for path in files}
    del found["report"]  # it names all parameters, and so all that they name
    return found
