"""Lists the code that each stage runs, file by file: data/code/<stage>[/<task>], with hashes.

A stage depends on its list, and so on what its module imports and on nothing else. A task has lists
of its own, since parameters name code, too: a generator, a model, an optimizer. Files that a
package reads, such as a style sheet, count with its modules.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import yaml

from stages.task.command import run
from stages.task.files import CODE, read_content, write_file


class Imports(ast.NodeVisitor):
    """The modules that a file imports when it runs, inside functions too.

    started: those that it runs in processes of their own, see stages/reference/process.py
    """

    def __init__(self, path: Path) -> None:
        self.found: set[str] = set()
        self.started: set[str] = set()
        self._package = path.parent.parts
        self.visit(ast.parse(path.read_bytes(), path))

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) not in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update(name.name for name in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        package = self._package[: len(self._package) + 1 - node.level] if node.level else ()
        module = ".".join([*package, *filter(None, [node.module])])
        self.found.update([module, *(f"{module}.{name.name}" for name in node.names)])

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(
                func=ast.Name(id="start") | ast.Attribute(attr="start"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                self.started.add(module)
        self.generic_visit(node)


imports = cache(Imports)
LOADS_TWINS = Path("stages/models/network_torch.py")
SCHEMA = Path("stages/task/parameters.py")  # of all parameters


def files(module: str) -> Iterator[Path]:
    """The files of this project that importing `module` runs, without what they import."""
    folder = Path()
    for part in module.split("."):
        if (folder / f"{part}.py").exists():
            yield folder / f"{part}.py"
        folder /= part
        if (folder / "__init__.py").exists():
            yield folder / "__init__.py"


def closure(paths: Iterable[Path], *, processes: bool = True) -> set[Path]:
    """The files of this project that running those at `paths` imports, and these themselves.

    processes: also what the processes that they start import
    """
    found, new = set[Path](), set(paths)
    while new:
        found |= new
        modules = {name for path in new for name in imports(path).found}
        modules |= {name for path in new for name in imports(path).started if processes}
        new = {file for module in modules for file in files(module)} - found
    return found


def named(value: object) -> Iterator[Path]:
    """The files of this project that parameters name, by their path or as the module of a class."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from named(item)
    elif isinstance(value, str):
        if value.endswith(".py"):
            yield from filter(Path.is_file, [Path(value)])
        elif value.startswith("stages."):
            yield from files(value)


def twins(code: Iterable[Path]) -> list[Path]:
    """Torch's files beside those of the code: a model's is loaded by its name."""
    paths = (file.with_name(f"{file.stem}_torch.py") for file in code)
    return [path for path in paths if path.is_file()]


def parameters_of_stages(pipeline: Mapping[str, Any], content: Any) -> Iterator[tuple[str, Any]]:
    """Each stage of dvc.yaml, as its list is called, and the values of its parameters."""
    for name, stage in pipeline["stages"].items():
        if "foreach" not in stage:
            yield name, _values(stage, content)
            continue
        for key, item in value_at(content, stage["foreach"].strip("${}")).items():
            known = {**content, "key": key, "item": item}
            yield f"{name}/{key}", _values(stage["do"], known)


def _values(stage: Mapping[str, Any], known: Mapping[str, Any]) -> list[Any]:
    """What the `params` of a stage stand for, with what DVC would put in for each ${...}."""
    keys = [
        re.sub(r"\$\{(.*?)\}", lambda found: str(value_at(known, found[1])), parameter)
        for parameter in stage.get("params", [])
    ]
    return [value_at(known, key) for key in keys]


def value_at(content: Any, key: str) -> Any:
    """The value at a dotted key."""
    return reduce(getitem, key.split("."), content)


def code_of_stages(pipeline: Mapping[str, Any], content: Any) -> Iterator[tuple[str, list[Path]]]:
    """Each stage, as its list is called, and the files that it runs or reads beside its modules."""
    for name, values in parameters_of_stages(pipeline, content):
        stage = name.partition("/")[0]
        code = closure([*files(f"stages.{stage}"), *named(values)])
        if SCHEMA in code:  # it asks each function for its options, and looks for its twin
            code |= closure(named(content))
        if {LOADS_TWINS, SCHEMA} & code:
            code |= closure(twins(code))
        yield name, sorted(code.union(*(beside(file.parent) for file in code)))


def main() -> None:
    """Writes the list of each stage, a line for each file, in the order of their paths."""
    pipeline = yaml.safe_load(Path("dvc.yaml").read_bytes())
    for name, code in code_of_stages(pipeline, read_content()):
        lines = [f"{digest(path)}  {path}\n" for path in code]
        write_file(CODE / name, "".join(lines).encode())


@cache
def beside(folder: Path) -> list[Path]:
    """The files that are no modules, in a folder of modules."""
    return [
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix != ".py" and not path.name.startswith(".")
    ]


@cache
def digest(path: Path) -> str:
    """The MD5 of a file, which is also DVC's name for its content."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    run(main)
