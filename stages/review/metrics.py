"""What happened to each metric, and whether its gate lets that pass."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from stages.review.differences import MISSING
from stages.review.gates import Gate, Gates, gate_of


class Outcome(StrEnum):
    """What happened to a metric; the review shows all but the first."""

    UNCHANGED = "unchanged"
    WITHIN = "within tolerance"
    BETTER = "better"
    WORSE = "worse"
    MOVED = "moved"  # where neither way is better
    NEW = "new"
    REMOVED = "removed"
    NO_NUMBER = "not a number now"  # null, NaN or infinite
    NUMBER = "a number now"
    TYPE = "of another type"


@dataclass(frozen=True)
class Change:
    """A metric before and after.

    metric: its name, `<file>:<dotted key>`
    verdict: what the review does about the outcome
    """

    metric: str
    old: object
    new: object
    gate: Gate
    outcome: Outcome
    verdict: Literal["fail", "warn", "none"]

    @property
    def is_noise(self) -> bool:
        """Whether it needs no attention: it is within its tolerance, or it is not gated."""
        ungated = self.gate.gate == "none" and self.verdict == "none"
        return self.outcome in (Outcome.UNCHANGED, Outcome.WITHIN) or ungated

    @property
    def difference(self) -> float | None:
        """By how much it changed; None where the values are not numbers."""
        if _number(self.old) and _number(self.new):
            return self.new - self.old  # type: ignore[operator, no-any-return]
        return None

    @property
    def relative(self) -> float | None:
        """The change as a fraction of the old value; None where that is 0 or no number."""
        return self.difference / abs(self.old) if self.difference is not None and self.old else None  # type: ignore[arg-type]


def compare(
    old: Mapping[str, object], new: Mapping[str, object], gates: Gates, *, unchanged: bool = False
) -> list[Change]:
    """What happened to each metric that one of the two has, failures first.

    unchanged: whether the metrics must be the same: then improvements fail where the gate does, and
        new and missing metrics always do
    Raises InputError if a metric has no gate.
    """
    changes = []
    for metric in dict.fromkeys([*old, *new]):
        before, after = old.get(metric, MISSING), new.get(metric, MISSING)
        gate = gate_of(metric, gates, is_gone=after is MISSING)
        outcome = outcome_of(before, after, gate)
        verdict = _verdict(outcome, gate, unchanged=unchanged)
        changes.append(Change(metric, before, after, gate, outcome, verdict))
    order = ["fail", "warn", "none"]
    return sorted(changes, key=lambda change: order.index(change.verdict))


def outcome_of(old: object, new: object, gate: Gate) -> Outcome:
    """What happened to a metric with this gate."""
    if new is MISSING:
        return Outcome.REMOVED
    if old is MISSING:
        return Outcome.NEW
    if _no_number(old) or _no_number(new):
        if repr(old) == repr(new):
            return Outcome.UNCHANGED
        return Outcome.NO_NUMBER if _no_number(new) else Outcome.NUMBER
    if type(old) is not type(new):
        return Outcome.TYPE
    if old == new:
        return Outcome.UNCHANGED
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return Outcome.WORSE if gate.better else Outcome.MOVED
    if abs(new - old) <= max(gate.absolute, gate.relative * abs(old)):
        return Outcome.WITHIN
    match gate.better:
        case "lower":
            return Outcome.BETTER if new < old else Outcome.WORSE
        case "higher":
            return Outcome.BETTER if new > old else Outcome.WORSE
        case "same":
            return Outcome.WORSE
    return Outcome.MOVED


def _verdict(outcome: Outcome, gate: Gate, *, unchanged: bool) -> Literal["fail", "warn", "none"]:
    match outcome:
        case Outcome.UNCHANGED | Outcome.WITHIN:
            return "none"
        case Outcome.NEW | Outcome.REMOVED if unchanged:
            return "fail"
        case Outcome.NEW:
            return "none"
        case Outcome.REMOVED if gate.removed:
            return "none"
        case Outcome.BETTER | Outcome.MOVED | Outcome.NUMBER if not unchanged:
            return "none"
    return gate.gate


def _no_number(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
