"""gates.yaml: for each metric, which way is better, what is noise, and what fails a review."""

import glob
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Literal

from dvc.utils.serialize import YAMLFileCorruptedError, parse_yaml
from pydantic import TypeAdapter, ValidationError, ValidationInfo, field_validator

from stages.task.errors import InputError, shown
from stages.task.section import Section, describe
from stages.task.values import NotNegative

FILE = "gates.yaml"


class Gate(Section):
    """Which moves of a metric are noise, and what the review does about the others.

    removed: whether the metric was removed on purpose; such a gate holds for no metric that exists
    """

    better: Literal["lower", "higher", "same"] | None = None
    absolute: NotNegative = 0.0
    relative: NotNegative = 0.0
    gate: Literal["fail", "warn", "none"] = "fail"
    removed: bool = False

    @field_validator("removed")
    @classmethod
    def _removed_is_alone(cls, removed: bool, info: ValidationInfo) -> bool:
        given = [
            name for name, value in info.data.items() if value != cls.model_fields[name].default
        ]
        if removed and given:
            raise ValueError(f"must be the only key where it is true, got {', '.join(given)}, too")
        return removed

    def __str__(self) -> str:
        """The tolerance in words, or that the metric was removed on purpose.

        >>> str(Gate(absolute=1e-12, relative=1e-6))
        '1e-12 absolute or 1e-06 relative'
        """
        if self.removed:
            return "removed on purpose"
        bounds = {"absolute": self.absolute, "relative": self.relative}
        return " or ".join(f"{bound:g} {name}" for name, bound in bounds.items() if bound) or "0"


Gates = dict[str, Gate]


def read_gates(text: str, path: str = FILE) -> Gates:
    """The gates in the text of a file, by pattern, in the order of the file.

    path: of the file, for messages
    Raises InputError with a line for each mistake.
    """
    try:
        content = parse_yaml(text, path)
    except YAMLFileCorruptedError as error:
        raise InputError(f"{path}: {' '.join(str(error.__cause__).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: must be a mapping from patterns to gates, got {shown(content)}")
    try:
        return TypeAdapter(Gates).validate_python(content)
    except ValidationError as failure:
        raise InputError(describe(failure, f"{path}: ")) from None


def gate_of(metric: str, gates: Gates, *, is_gone: bool = False) -> Gate:
    """The gate of a metric, whose name is `<file>:<dotted key>`: the first that matches.

    is_gone: whether the metric is gone; then a gate for what was removed on purpose comes first
    Raises InputError if no gate matches.
    """
    matching = [gate for pattern, gate in gates.items() if fnmatchcase(metric, pattern)]
    on_purpose = [gate for gate in matching if gate.removed and is_gone]
    for gate in on_purpose + [gate for gate in matching if not gate.removed]:
        return gate
    raise InputError(f"{FILE}: no pattern matches {metric}; add one")


def patterns_of(gone: Iterable[str], there: Collection[str]) -> list[str]:
    """The widest patterns that match the metrics that are gone, and none that exists.

    >>> patterns_of(["a.json:x.y", "a.json:x.z", "b.json:u.v", "b.json:w"], ["b.json:u.w"])
    ['a.json:*', 'b.json:u.v', 'b.json:w']
    """
    found, beginnings = list[str](), list[str]()
    for metric in gone:
        if metric.startswith(tuple(beginnings)):
            continue
        file, _, key = metric.partition(":")
        keys = key.split(".")
        for depth in range(len(keys)):
            beginning = f"{file}:{'.'.join([*keys[:depth], ''])}"
            if not any(name.startswith(beginning) for name in there):
                beginnings.append(beginning)
                found.append(f"{glob.escape(beginning)}*")
                break
        else:
            found.append(glob.escape(metric))
    return found
