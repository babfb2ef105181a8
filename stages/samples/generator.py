"""Columns that a generator makes: the function `generate` of a module, and its options."""

import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    create_model,
    field_validator,
)

from stages.samples.cells import Cells
from stages.samples.columns import Columns
from stages.task.errors import InputError, shown
from stages.task.section import Section, describe
from stages.task.source import Generator


class Options(Section):
    """The keyword arguments of a generator."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _true_is_not_one(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        result = handler(value)
        if isinstance(value, bool) and isinstance(result, int | float) and result is not value:
            raise ValueError(f"must be a number, got {shown(value)}")
        return result


def run_generator(data: Generator, place: str) -> Columns:
    """Calls the function `generate` of a module with options that its signature allows."""
    generate = load_function(data.source)
    _, *parameters = signature(generate).parameters.values()  # the first is the random generator
    hints = get_type_hints(generate, include_extras=True)
    # A field of the model has a prefix, for an option may have any name, even that of a method.
    fields: dict[str, Any] = {
        f"option_{parameter.name}": (
            hints.get(parameter.name, Any),
            Field(
                ... if parameter.default is parameter.empty else parameter.default,
                alias=parameter.name,
            ),
        )
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    model = create_model("Options", __base__=Options, **fields)
    try:
        options = model.model_validate(data.options)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{place}.options.")) from None
    arguments = {name.removeprefix("option_"): value for name, value in options}
    made: Any = generate(np.random.default_rng(data.seed), **arguments)
    cells = check_made(made, data.source)
    features, target = list(made)[:-1], list(made)[-1]
    targets = list(cells)[len(features) :]
    rows = range(1, len(cells[targets[0]]) + 1)
    return Columns(features, target, [(rows, cells)], data.source, "row", targets=targets)


def load_function(source: str) -> Callable[..., object]:
    """The function `generate` of the module in a file, which need not be on the import path."""
    spec = spec_from_file_location("source", source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and type hints look for their module
    spec.loader.exec_module(module)
    generate = getattr(module, "generate", None)
    if not callable(generate) or not signature(generate).parameters:
        raise InputError(f"{source}: must have a function generate(random, *, options)")
    return generate  # type: ignore[no-any-return]


def check_made(made: object, source: str) -> Mapping[str, Cells]:
    """The columns that a generator made, all of one length.

    A target of two dimensions, (samples, targets), is as many columns: <name>_1, <name>_2, ...
    """
    wanted = f"{source}: generate must return a dict of columns by name, the target last"
    if not isinstance(made, Mapping):
        raise InputError(f"{wanted}; got {type(made).__name__}")
    if len(made) < 2 or not all(isinstance(name, str) for name in made):
        raise InputError(f"{wanted}; got the columns {', '.join(map(shown, made))}")
    arrays: dict[str, NDArray[Any]] = {}
    for name, cells in made.items():
        try:
            arrays[name] = np.asarray(cells)
        except ValueError:  # rows of unequal length
            raise InputError(f"{wanted}; got a column {name} that is not an array") from None
    if arrays[name].ndim == 2 and arrays[name].shape[1]:
        several = arrays.pop(name).T
        targets = {f"{name}_{number}": one for number, one in enumerate(several, start=1)}
        if taken := targets.keys() & arrays.keys():
            raise InputError(f"{wanted}; got another column {min(taken)} beside those of {name}")
        arrays |= targets
    columns: dict[str, Cells] = {}
    for name, column in arrays.items():
        if column.ndim != 1 or column.dtype.kind not in "biufOU":
            raise InputError(
                f"{wanted}, each one-dimensional, of numbers or text; "
                f"got {column.dtype} of shape {column.shape} in column {name}"
            )
        columns[name] = column.tolist() if column.dtype.kind in "OU" else column
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{length} in {name}" for name, length in lengths.items())
        raise InputError(f"{wanted}, all of one length; got {got}")
    return columns
