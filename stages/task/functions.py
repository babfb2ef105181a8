"""Functions in files that params.yaml names, and their options.

The options of a function are its keyword arguments, with bounds in their types and with defaults.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ConfigDict, Field, ValidatorFunctionWrapHandler, create_model, field_validator

from stages.task.errors import InputError, shown
from stages.task.section import Section

Function = Callable[..., Any]


class Options(Section):
    """The options of a function."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _true_is_not_one(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        result = handler(value)
        if isinstance(value, bool) and isinstance(result, int | float) and result is not value:
            raise ValueError(f"must be a number, got {shown(value)}")
        return result


def load_function(source: str, name: str, *leading: str) -> Function:
    """The function of that name in a file, which need not be on the import path.

    leading: what it is called with before its options, as a message shows it
    Raises InputError if there is no such file, or no such function in it.
    """
    path = Path(source).resolve()
    if not path.is_file():
        raise InputError(f"there is no file {source}")
    function = getattr(_module(path, path.stat().st_mtime_ns), name, None)
    if not callable(function) or len(signature(function).parameters) < len(leading):
        raise InputError(f"{source}: must have a function {name}({', '.join(leading)}, *, options)")
    return function  # type: ignore[no-any-return]


@cache
def _module(path: Path, _: int) -> Any:  # anew when the file has changed
    spec = spec_from_file_location(str(path), path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and type hints look for their module
    spec.loader.exec_module(module)
    return module


def options(function: Function, given: Mapping[str, Any], leading: int) -> dict[str, Any]:
    """The options that are given, as the types of the function's arguments have them.

    leading: how many arguments are no options
    Raises ValidationError with each mistake at its option, in words.
    """
    validated = _section(function, leading).model_validate(given)
    return {name.removeprefix("option_"): value for name, value in validated}


@cache
def _section(function: Function, leading: int) -> type[Options]:
    hints = get_type_hints(function, include_extras=True)
    # A field of the model has a prefix, for an option may have any name, even that of a method.
    fields: dict[str, Any] = {
        f"option_{parameter.name}": (
            hints.get(parameter.name, Any),
            Field(
                ... if parameter.default is parameter.empty else parameter.default,
                alias=parameter.name,
            ),
        )
        for parameter in list(signature(function).parameters.values())[leading:]
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    return create_model("Options", __base__=Options, **fields)
