"""Columns that a generator makes: the function `generate` of a module, and its options."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from stages.samples.cells import Cells
from stages.samples.columns import Columns
from stages.task.errors import InputError, shown
from stages.task.functions import load_function, options
from stages.task.section import describe
from stages.task.source import Generator


def run_generator(data: Generator, place: str) -> Columns:
    """Calls the function `generate` of a module with options that its signature allows."""
    generate = load_function(data.source, "generate", "random")
    try:
        arguments = options(generate, data.options, leading=1)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{place}.options.")) from None
    made = generate(np.random.default_rng(data.seed), **arguments)
    cells = check_made(made, data.source)
    features, target = list(made)[:-1], list(made)[-1]
    targets = list(cells)[len(features) :]
    rows = range(1, len(cells[targets[0]]) + 1)
    return Columns(features, target, [(rows, cells)], data.source, "row", targets=targets)


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
