"""The examples in docstrings, and what params.yaml says about hyperparameters."""

import doctest
import re
from collections.abc import Sequence
from dataclasses import astuple
from importlib import import_module
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import yaml
from annotated_types import Ge, Gt, Le, Lt
from repository import ROOT

from stages import optim
from stages.task.hyperparameters import BUILT_IN
from stages.task.optimizers import Hyperparameters
from stages.task.values import parsed

MODULES = sorted(path.stem for path in (ROOT / "stages/optim").glob("*.py"))
WITH_EXAMPLES = [
    name for name in MODULES if ">>>" in (ROOT / f"stages/optim/{name}.py").read_text()
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples(module: str) -> None:
    result = doctest.testmod(import_module(f"stages.optim.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_every_optimizer_has_an_example() -> None:
    for kind in BUILT_IN:
        assert getattr(optim, kind.__name__).__module__.rpartition(".")[2] in WITH_EXAMPLES


def documentation() -> dict[str, dict[str, str]]:
    """What comments in params.yaml say of each name, by the name above it; "" is that itself."""
    found: dict[str, dict[str, str]] = {}
    section = entry = ""
    for comment in re.findall(r"^ *#( .*)", (ROOT / "params.yaml").read_text(), re.MULTILINE):
        indent, words = re.fullmatch(r"( *)(.*)", comment).groups()
        name, _, text = words.partition(" ")
        if len(indent) in (1, 3):
            section, entry = name.lower(), ""
            found.setdefault(section, {"": text.strip()})
        elif len(indent) == 5:
            entry = name
            found[section][entry] = text.strip()
        else:
            found[section][entry] += f" {words}"
    return found


DOCUMENTED = documentation()


def borrowed(kind: type[Hyperparameters]) -> dict[str, str]:
    """What the comment on a class says of hyperparameters in the words "eps as adam"."""
    found = {}
    for names, other in re.findall(r"([\w, ]+?) as (\w+)", DOCUMENTED[kind.__name__.lower()][""]):
        found |= {
            name: DOCUMENTED[other][name] for name in re.findall(r"\w+", names) if name != "and"
        }
    return found


def own_defaults(kind: type[Hyperparameters]) -> dict[str, str]:
    """What the comment on a class says in the words "lr is 0.01 by default"."""
    return dict(re.findall(r"(\w+) is (\S+) by default", DOCUMENTED[kind.__name__.lower()][""]))


SIGNS = {Ge: ">=", Gt: ">", Le: "<=", Lt: "<"}


def bounds_of(annotation: Any, metadata: Sequence[Any] = ()) -> list[tuple[str, float]]:
    """Those of all parts, each once, in the order in which they stand."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return bounds_of(parts[0], parts[1:])
    found = [(SIGNS[type(each)], *astuple(each)) for each in metadata if type(each) in SIGNS]
    for part in () if origin is Literal else parts:
        found += bounds_of(part)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("kind", BUILT_IN)
def test_params_yaml_documents_every_hyperparameter(kind: type[Hyperparameters]) -> None:
    entries = DOCUMENTED["optimizers"] | borrowed(kind) | DOCUMENTED[kind.__name__.lower()]
    for name, field in kind.model_fields.items():
        text = entries[name]
        if isinstance(field.default, bool):
            assert text.startswith("true: ")
            assert text.endswith("default true") == field.default
            continue
        default = re.search(r"default (\[.*\]|\S+)", text)[1]
        value = yaml.safe_load(own_defaults(kind).get(name, default))
        value = tuple(map(parsed, value)) if isinstance(value, list) else parsed(value)
        assert value == field.default, name
        said = [(sign, float(limit)) for sign, limit in re.findall(r"([<>]=?) ([\d.]+)", text)]
        assert said == bounds_of(field.annotation, field.metadata), name


@pytest.mark.parametrize("kind", BUILT_IN)
def test_params_yaml_documents_no_other_hyperparameter(kind: type[Hyperparameters]) -> None:
    said = {*borrowed(kind), *own_defaults(kind), *DOCUMENTED[kind.__name__.lower()]} - {""}
    assert said <= set(kind.model_fields)
