"""What differs between two mappings."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Missing(Enum):
    """Stands for a value that is not there, where null is a value."""

    MISSING = "missing"


MISSING = Missing.MISSING


class Difference(NamedTuple):
    """A key whose value differs, and its values; MISSING on the side that does not have it."""

    key: str
    old: object
    new: object


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[Difference]:
    """The keys that have another value in `new`, in its order, and then those that are gone."""
    keys = dict.fromkeys([*new, *old])
    every = (Difference(key, old.get(key, MISSING), new.get(key, MISSING)) for key in keys)
    return [difference for difference in every if difference.old != difference.new]
