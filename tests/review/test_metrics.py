"""What became of a metric, and what follows from that."""

import math
from typing import Any

import pytest
from repository import ROOT

from stages.review.differences import MISSING
from stages.review.gates import Gate, read_gates
from stages.review.metrics import Outcome, compare, outcome_of
from stages.task.errors import InputError

LOWER, HIGHER, SAME, NEITHER = (
    Gate(better=better, absolute=0.1, relative=0.01) for better in ("lower", "higher", "same", None)
)


@pytest.mark.parametrize(
    ("old", "new", "gate", "outcome"),
    [
        (1.0, 1.0, LOWER, "unchanged"),
        (1.0, 1.125, LOWER, "worse"),
        (1.0, 0.875, LOWER, "better"),
        (1.0, 1.125, HIGHER, "better"),
        (1.0, 0.875, HIGHER, "worse"),
        (1.0, 1.125, SAME, "worse"),
        (1.0, 0.875, SAME, "worse"),
        (1.0, 0.875, NEITHER, "moved"),
        (1.0, 1.0625, LOWER, "within tolerance"),  # of 0.1
        (100.0, 101.0, LOWER, "within tolerance"),  # of 0.01·100
        (-100.0, -99.0, LOWER, "within tolerance"),
        (100.0, 101.5, LOWER, "worse"),
        (0.0, 0.0625, LOWER, "within tolerance"),
        (0, 1, Gate(better="lower"), "worse"),
        (1.0, math.nextafter(1, 2), Gate(better="lower"), "worse"),
        (1.0, MISSING, LOWER, "removed"),
        (None, MISSING, LOWER, "removed"),
        (MISSING, 1.0, LOWER, "new"),
        (MISSING, None, LOWER, "new"),
        (1.0, None, LOWER, "not a number now"),
        (1.0, math.nan, LOWER, "not a number now"),
        (1.0, math.inf, LOWER, "not a number now"),
        (None, math.nan, LOWER, "not a number now"),
        (math.inf, -math.inf, HIGHER, "not a number now"),
        (None, 1.0, LOWER, "a number now"),
        (math.nan, 1.0, LOWER, "a number now"),
        (None, None, LOWER, "unchanged"),
        (math.nan, math.nan, LOWER, "unchanged"),
        (1.0, 1, LOWER, "of another type"),
        (1, True, LOWER, "of another type"),
        (1.0, "1.0", LOWER, "of another type"),
        (True, False, HIGHER, "worse"),
        ("adam", "adam", SAME, "unchanged"),
        ("adam", "sgd", SAME, "worse"),
        ("adam", "sgd", NEITHER, "moved"),
        ([1, 2], [1, 3], SAME, "worse"),
    ],
)
def test_outcome(old: object, new: object, gate: Gate, outcome: str) -> None:
    assert outcome_of(old, new, gate) == outcome


VERDICTS = {  # of a gate that fails: usually, and where metrics have to be reproduced
    "unchanged": (1.0, 1.0, "none", "none"),
    "within tolerance": (1.0, 1.0625, "none", "none"),
    "better": (1.0, 0.5, "none", "fail"),
    "worse": (1.0, 2.0, "fail", "fail"),
    "new": (MISSING, 1.0, "none", "fail"),
    "removed": (1.0, MISSING, "fail", "fail"),
    "not a number now": (1.0, None, "fail", "fail"),
    "a number now": (None, 1.0, "none", "fail"),
    "of another type": (1.0, 1, "fail", "fail"),
}


@pytest.mark.parametrize("unchanged", [False, True])
@pytest.mark.parametrize("severity", ["fail", "warn", "none"])
@pytest.mark.parametrize("outcome", VERDICTS)
def test_verdict(outcome: str, severity: Any, unchanged: bool) -> None:
    old, new, *verdicts = VERDICTS[outcome]
    gates = {"*": Gate(better="lower", absolute=0.1, gate=severity)}
    metrics = ({"m": value} if value is not MISSING else {} for value in (old, new))
    (change,) = compare(*metrics, gates, unchanged=unchanged)
    assert change.outcome == outcome
    always = unchanged and outcome in ("new", "removed")
    expected = verdicts[unchanged]
    assert change.verdict == (severity if expected == "fail" and not always else expected)


def test_a_move_without_direction_fails_only_where_metrics_have_to_be_reproduced() -> None:
    gates = {"*": Gate()}
    assert [one.verdict for one in compare({"m": 1}, {"m": 2}, gates)] == ["none"]
    assert [one.verdict for one in compare({"m": 1}, {"m": 2}, gates, unchanged=True)] == ["fail"]


def test_the_worst_comes_first_and_every_metric_once() -> None:
    gates = {"warn*": Gate(better="lower", gate="warn"), "*": Gate(better="lower")}
    old = {"same": 1, "warned": 1, "failed": 1, "gone": 1}
    new = {"same": 1, "warned": 2, "failed": 2, "new": 1}
    changes = compare(old, new, gates)
    assert [change.metric for change in changes] == ["failed", "gone", "warned", "same", "new"]


def test_a_metric_of_either_side_needs_a_gate() -> None:
    for old, new in (({"a": 1}, {}), ({}, {"a": 1})):
        with pytest.raises(InputError, match="no pattern matches a"):
            compare(old, new, {"b": Gate()})


@pytest.mark.parametrize(
    ("old", "new", "difference", "relative"),
    [(4, 5, 1, 0.25), (-4.0, -5.0, -1, -0.25), (0, 1, 1, None), (None, 1.0, None, None)],
)
def test_change(old: Any, new: Any, difference: float | None, relative: float | None) -> None:
    (change,) = compare({"m": old}, {"m": new}, {"*": Gate()})
    assert (change.difference, change.relative) == (difference, relative)


def test_noise_is_what_nobody_has_to_look_at() -> None:
    gates = {"native": Gate(better="lower", gate="none"), "*": Gate(better="lower", absolute=0.1)}
    old = {"native": 1, "within": 1.0, "worse": 1.0, "better": 1.0}
    new = {"native": 2, "within": 1.0625, "worse": 2.0, "better": 0.5}
    changes = compare(old, new, gates)
    assert {change.metric for change in changes if change.is_noise} == {"native", "within"}
    changes = compare({}, {"native": 2}, gates, unchanged=True)
    assert [(one.outcome, one.verdict, one.is_noise) for one in changes] == [
        (Outcome.NEW, "fail", False)
    ]


COMMITTED: dict[str, Any] = {
    "metrics/moons.json:numpy.test_loss": 0.25,
    "metrics/moons.json:numpy.weight": 0.25,
    "metrics/moons.json:numpy.diverged_step": 0,
    "metrics/moons.json:drift.cloud": 0.5,
    "metrics/moons.json:drift.parameters": 1e-15,
    "metrics/moons.json:drift.parameters_ulp": 3,
    "metrics/moons/sweep.json:sgd.trainings": 10,
    "metrics/moons/sweep.json:sgd.train_loss": 0.25,
    "metrics/moons/sweep.json:sgd.best.lr": 0.25,
    "metrics/moons/sweep.json:drift.train_loss": 1e-15,
    "metrics/optimizers.json:SGD.ulp_ieee": 0,
    "metrics/optimizers.json:SGD.ulp_native": 7,
    "metrics/optimizers.json:SGD.variants": 5,
    "metrics/training.json:SGD.ulp_ieee": 0,
    "metrics/training.json:SGD.drift": 1e-15,
    "metrics/gradients.json:operations.add.ulp": 1,
    "metrics/gradients.json:operations.add.ulp_float32": 1,
    "metrics/gradients.json:operations.add.relative_error": 1e-16,
}


@pytest.mark.parametrize(
    "reproduced",
    [
        {},
        {"moons.json:numpy.test_loss": 0.25 * (1 + 0.9e-6)},
        {"moons.json:numpy.weight": 0.25 * (1 - 0.9e-6)},
        {"moons.json:drift.cloud": 9.5},
        {"moons.json:drift.parameters": 0.9e-12},
        {"moons.json:drift.parameters_ulp": 4500},
        {"moons/sweep.json:sgd.train_loss": 0.125},
        {"moons/sweep.json:sgd.best.lr": 10.0},
        {"moons/sweep.json:drift.train_loss": 1.0},
        {"optimizers.json:SGD.ulp_native": 10**9},
        {"optimizers.json:SGD.ulp_native": None},
        {"gradients.json:operations.add.ulp": 4500},
        {"gradients.json:operations.add.ulp_float32": 10**9},
        {"gradients.json:operations.add.relative_error": 0.9e-12},
    ],
)
def test_what_rounding_changes_is_reproduced(reproduced: dict[str, Any]) -> None:
    assert failing(reproduced) == []


@pytest.mark.parametrize(
    ("reproduced", "outcome"),
    [
        ({"moons.json:numpy.test_loss": 0.2500003}, "worse"),
        ({"moons.json:numpy.test_loss": 0.2499997}, "better"),
        ({"moons.json:numpy.test_loss": 0}, "of another type"),
        ({"moons.json:numpy.test_loss": None}, "not a number now"),
        ({"moons.json:numpy.test_loss": math.nan}, "not a number now"),
        ({"moons.json:numpy.weight": 0.2500003}, "moved"),
        ({"moons.json:numpy.diverged_step": 7}, "worse"),
        ({"moons.json:numpy.diverged_step": False}, "of another type"),
        ({"moons.json:drift.cloud": 10.6}, "worse"),
        ({"moons.json:drift.parameters": 2e-12}, "worse"),
        ({"moons.json:drift.parameters_ulp": 4600}, "worse"),
        ({"moons.json:drift.loss": 1e-15}, "new"),
        ({"moons/sweep.json:sgd.trainings": 9}, "moved"),
        ({"moons/sweep.json:sgd.train_loss": 0.6}, "worse"),
        ({"optimizers.json:SGD.ulp_ieee": 1}, "worse"),
        ({"optimizers.json:SGD.variants": 4}, "worse"),
        ({"training.json:SGD.ulp_ieee": 1}, "worse"),
        ({"training.json:SGD.drift": 2e-12}, "worse"),
        ({"gradients.json:operations.add.relative_error": 2e-12}, "worse"),
    ],
)
def test_any_other_change_is_not(reproduced: dict[str, Any], outcome: str) -> None:
    (name,) = reproduced
    assert failing(reproduced) == [(f"metrics/{name}", outcome)]


@pytest.mark.parametrize("metric", COMMITTED)
def test_nor_is_a_metric_that_is_gone(metric: str) -> None:
    gates = read_gates(ROOT / "gates.yaml")
    left = {name: value for name, value in COMMITTED.items() if name != metric}
    changes = compare(COMMITTED, left, gates, unchanged=True)
    assert [(one.metric, one.outcome) for one in changes if one.verdict == "fail"] == [
        (metric, "removed")
    ]


def failing(reproduced: dict[str, Any]) -> list[tuple[str, str]]:
    """The metrics that fail, by this repository's gates, where they have to be reproduced."""
    new = COMMITTED | {f"metrics/{name}": value for name, value in reproduced.items()}
    changes = compare(COMMITTED, new, read_gates(ROOT / "gates.yaml"), unchanged=True)
    return [(change.metric, str(change.outcome)) for change in changes if change.verdict == "fail"]
