"""What the metrics prove of the twins."""

import json
from typing import Any

import pytest
import yaml
from repository import ROOT

from stages.review.differences import MISSING
from stages.review.proofs import CHECKS, KINDS, checks, claims, drifts
from stages.review.revision import Revision
from stages.task.errors import InputError

TASKS = yaml.safe_load((ROOT / "params.yaml").read_text())["tasks"]

METRICS: dict[str, object] = {
    "metrics/moons.json:numpy.loss": 1.0,
    "metrics/moons.json:drift.parameters": 1e-15,
    "metrics/moons.json:drift.parameters_ulp": 7,
    "metrics/moons.json:drift.loss": 1e-16,
    "metrics/moons.json:drift.cloud": 0.5,
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
        "moons": {"parameters": 1e-15, "parameters_ulp": 7, "loss": 1e-16, "cloud": 0.5},
        "blobs": dict.fromkeys(KINDS, MISSING) | {"loss": 0.0},
    }


def test_checks() -> None:
    assert list(checks(METRICS).values()) == [3, 11, 3, 1, 0, 25, 3e-16]
    assert checks({}) == {}


def test_a_check_without_a_number_has_none() -> None:
    numbers = checks(METRICS | {"metrics/optimizers.json:Muon.ulp_ieee": None})
    assert list(numbers.values())[:3] == [3, 11, None]


def revision(files: dict[str, Any], *tasks: str) -> Revision:
    parameters = {f"tasks.{task}.model.dtype": "float64" for task in tasks}
    return Revision("branch", "0" * 40, parameters, files, {}, {}, {}, ())


SAME = {"variants": 1, "steps": 300, "ulp_ieee": 0, "first_difference": 0}
OWN = {"variants": 1, "steps": 300, "ulp_repeated": 0, "descending": 1}
CLAIMS: list[tuple[str, Any, str | None]] = [
    ("optimizers", {"SGD": SAME}, None),
    ("optimizers", {"SGD": SAME | {"ulp_ieee": 48128, "first_difference": 1}}, "48128 units"),
    ("optimizers", {"my.Lion": OWN}, None),
    ("optimizers", {"my.Lion": OWN | {"descending": 0}}, "my.Lion does not descend in 1 of 1"),
    ("optimizers", {"Lion": OWN | {"ulp_ieee": 48128}}, "Lion differs from its reference"),
    ("training", {"SGD": SAME | {"ulp_ieee": 1}}, "Training: SGD differs"),
    ("moons", {"drift": {"cloud": 9.0}}, None),
    ("moons", {"drift": {"cloud": 11.0}}, "moons: the twins are 11 times as far apart"),
    ("moons", {"drift": {"cloud": None}}, "moons: the twins are no finite distance apart"),
    ("moons/sweep", {"drift": {"cloud": 11.0}}, None),
    ("not_a_task", {"drift": {"cloud": 11.0}}, None),
]


@pytest.mark.parametrize(("name", "content", "said"), CLAIMS)
def test_the_claims_are_those_of_the_report(name: str, content: Any, said: str | None) -> None:
    found = claims(revision({f"metrics/{name}.json": content}, "moons"))
    failing = [claim.text for claim in found if not claim.holds]
    assert len(failing) == (said is not None)
    assert all(text.startswith(said or "") or said in text for text in failing if said)


@pytest.mark.parametrize("content", [[], {"drift": {"cloud": "near"}}, {"drift": 1}, {}])
def test_metrics_that_no_stage_writes_are_one_line(content: Any) -> None:
    given = revision({"metrics/moons.json": content}, "moons")
    with pytest.raises(
        InputError, match=r"^branch: metrics/: must be of the form that the stages write, "
    ):
        claims(given)


def test_the_metrics_here_have_every_proof() -> None:
    paths = ROOT.glob("metrics/**/*.json")
    files = {path.relative_to(ROOT).as_posix(): json.loads(path.read_text()) for path in paths}
    here = revision(files, *TASKS)
    metrics = here.metrics
    assert set(drifts(metrics)) == {*TASKS}
    assert all(MISSING not in drift.values() for drift in drifts(metrics).values())
    assert list(checks(metrics)) == list(CHECKS)
    assert len(claims(here)) == 4
    assert all(claim.holds for claim in claims(here))
