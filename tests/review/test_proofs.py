"""What the metrics prove of the twins."""

import json

from repository import ROOT

from stages.review.differences import MISSING
from stages.review.proofs import CHECKS, bits_differ, checks, drifts
from stages.review.revision import leaves

METRICS = {
    "metrics/moons.json:numpy.loss": 1.0,
    "metrics/moons.json:drift.parameters": 1e-15,
    "metrics/moons.json:drift.parameters_ulp": 7,
    "metrics/moons.json:drift.loss": 1e-16,
    "metrics/blobs.json:drift.loss": 0.0,
    "metrics/moons/sweep.json:drift.train_loss": 1.0,
    "metrics/optimizers.json:SGD.variants": 5,
    "metrics/optimizers.json:SGD.ulp_ieee": 0,
    "metrics/optimizers.json:SGD.ulp_native": 99,
    "metrics/optimizers.json:Adam.variants": 4,
    "metrics/optimizers.json:Adam.ulp_ieee": 3,
    "metrics/optimizers.json:Lion.variants": 2,
    "metrics/optimizers.json:Lion.ulp_runs": 0,
    "metrics/training.json:SGD.ulp_ieee": 0,
    "metrics/gradients.json:operations.add.cases": 22,
    "metrics/gradients.json:operations.add.relative_error": 1e-16,
    "metrics/gradients.json:models.relu.cases": 3,
    "metrics/gradients.json:models.relu.relative_error": 3e-16,
    "metrics/gradients.json:models.relu.relative_error_float32": 1e-7,
}


def test_drifts_of_tasks() -> None:
    assert drifts(METRICS) == {
        "moons": {"parameters": 1e-15, "parameters_ulp": 7, "loss": 1e-16},
        "blobs": {"parameters": MISSING, "parameters_ulp": MISSING, "loss": 0.0},
    }


def test_checks() -> None:
    assert list(checks(METRICS).values()) == [3, 11, 3, 1, 0, 25, 3e-16]
    assert checks({}) == {}


def test_a_check_without_a_number_has_none() -> None:
    numbers = checks(METRICS | {"metrics/optimizers.json:Muon.ulp_ieee": None})
    assert list(numbers.values())[:3] == [3, 11, None]


def test_bits() -> None:
    assert bits_differ(METRICS) == {"metrics/optimizers.json:Adam.ulp_ieee": 3}
    same = {name: value for name, value in METRICS.items() if "Adam" not in name}
    assert bits_differ(same) == {}
    own = "metrics/optimizers.json:Lion.ulp_repeated"
    assert bits_differ(same | {own: None}) == {own: None}
    assert bits_differ({"metrics/moons.json:drift.loss": 1.0}) is None


def test_the_metrics_here_have_every_proof() -> None:
    metrics = {
        f"{path.relative_to(ROOT).as_posix()}:{key}": value
        for path in ROOT.glob("metrics/**/*.json")
        for key, value in leaves(json.loads(path.read_text()))
    }
    assert set(drifts(metrics)) == {"regression", "classification", "moons"}
    assert all(MISSING not in drift.values() for drift in drifts(metrics).values())
    assert list(checks(metrics)) == list(CHECKS)
    assert bits_differ(metrics) == {}
