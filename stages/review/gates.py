"""gates.yaml: of each metric, which way is better, what is noise, and what fails a review."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from dvc.utils.serialize import YAMLFileCorruptedError, load_yaml
from pydantic import TypeAdapter, ValidationError

from stages.task.errors import InputError, shown
from stages.task.section import Section, describe
from stages.task.values import NotNegative

FILE = "gates.yaml"


class Gate(Section):
    """What of a metric that moved is noise, and what the review says of the rest."""

    better: Literal["lower", "higher", "same"] | None = None
    absolute: NotNegative = 0.0
    relative: NotNegative = 0.0
    gate: Literal["fail", "warn", "none"] = "fail"

    def __str__(self) -> str:
        """The tolerance in words.

        >>> str(Gate(absolute=1e-12, relative=1e-6))
        '1e-12 absolute or 1e-06 relative'
        """
        bounds = {"absolute": self.absolute, "relative": self.relative}
        return " or ".join(f"{bound:g} {name}" for name, bound in bounds.items() if bound) or "0"


Gates = dict[str, Gate]


def read_gates(path: str | Path = FILE) -> Gates:
    """The gates in the file at `path`, by their patterns, in their order.

    Raises InputError that names every mistake in it, one line each.
    """
    try:
        content = load_yaml(path)
    except FileNotFoundError:
        raise InputError(f"{path}: not found; it says what the review makes of a metric") from None
    except YAMLFileCorruptedError as error:
        raise InputError(f"{path}: {' '.join(str(error.__cause__).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping from patterns to gates, got {shown(content)}")
    try:
        return TypeAdapter(Gates).validate_python(content)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{path}: ")) from None


def gate_of(metric: str, gates: Gates) -> Gate:
    """The gate of a metric, whose name is `<file>:<dotted key>`: the first that matches.

    Raises InputError if there is none.
    """
    for pattern, gate in gates.items():
        if fnmatchcase(metric, pattern):
            return gate
    raise InputError(f"{FILE}: no pattern matches {metric}; add one")
