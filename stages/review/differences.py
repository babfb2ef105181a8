"""What differs between two mappings with dotted keys."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Missing(Enum):
    """Stands for a value that is not there; null is a value."""

    MISSING = "missing"


MISSING = Missing.MISSING


class Difference(NamedTuple):
    """A key whose value differs, and its values; MISSING on the side that does not have it."""

    key: str
    old: object
    new: object


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[Difference]:
    """The keys whose value differs: those of `new` in their order, then those that are gone."""
    keys = dict.fromkeys([*new, *old])
    every = (Difference(key, old.get(key, MISSING), new.get(key, MISSING)) for key in keys)
    return [difference for difference in every if difference.old != difference.new]


def sections(
    old: Mapping[str, object], new: Mapping[str, object], most: int = 8
) -> list[Difference]:
    """The differences, with a section that only one side has as a single one.

    most: the number of values up to which it is; of a larger section, each section in it is one

    >>> sections({"tasks.a.lr": 1}, {"tasks.a.lr": 2, "tasks.b.lr": 3, "tasks.b.epochs": 4})[1]
    Difference(key='tasks.b', old=<Missing.MISSING: 'missing'>, new={'lr': 3, 'epochs': 4})
    """
    found: dict[str, Difference] = {}
    there = [{prefix for key in side for prefix in _prefixes(key)} for side in (old, new)]
    for key, before, after in differences(old, new):
        row = Difference(key, before, after)
        side = new if before is MISSING else old
        for name in _prefixes(key)[:-1]:
            if not all(name in prefixes for prefixes in there):
                values = {
                    other.removeprefix(f"{name}."): value
                    for other, value in side.items()
                    if other.startswith(f"{name}.")
                }
                if len(values) <= most:
                    whole = (MISSING, values) if before is MISSING else (values, MISSING)
                    row = Difference(name, *whole)
                    break
        found[row.key] = row
    return list(found.values())


def _prefixes(key: str) -> list[str]:
    """The keys of the sections that contain a key, and the key itself: a, a.b and a.b.c."""
    parts = key.split(".")
    return [".".join(parts[: index + 1]) for index in range(len(parts))]
