"""What the metrics have to be: a claim for each number, and a line for each that does not hold."""

from typing import Any

import pytest

from stages.proofs.claims import (
    CLOUD,
    Claim,
    claim_of_task,
    claims_of_gradients,
    claims_of_optimizers,
    claims_of_training,
    say_what_fails,
)

OWN = {"variants": 2, "ulp_repeated": 0, "ulp_runs": 0, "descending": 2}


def lines(claims: Any) -> list[str]:
    """What is said of those that do not hold."""
    return [str(claim) for claim in claims if not claim.holds]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"ulp_ieee": 0, "first_difference": 0}, []),
        ({"ulp_ieee": 3, "first_difference": 7}, ["ulp_ieee: must be 0, got 3; first at step 7"]),
        ({}, ["ulp_ieee: must be 0, got null"]),
        (OWN, []),  # without a reference
        (OWN | {"ulp_repeated": 1}, ["ulp_repeated: must be 0, got 1"]),
        (OWN | {"descending": 1}, ["descending: must be 2, got 1"]),
        (
            OWN | {"ulp_runs": 2, "ulp_ieee": None},
            ["ulp_ieee: must be 0, got null", "ulp_runs: must be 0, got 2"],
        ),
    ],
)
def test_optimizers(found: dict[str, Any], said: list[str]) -> None:
    expected = [f"metrics/optimizers.json: Lion.{line}" for line in said]
    assert lines(claims_of_optimizers({"Lion": found})) == expected


def test_training() -> None:
    found = {"SGD": {"ulp_ieee": 0}, "Adam": {"ulp_ieee": 1, "first_difference": 2}}
    (line,) = lines(claims_of_training(found))
    assert line == "metrics/training.json: Adam.ulp_ieee: must be 0, got 1; first at step 2"


@pytest.mark.parametrize(("error", "holds"), [(0.0, True), (1e-12, True), (1.1e-12, False)])
def test_gradients(error: float, holds: bool) -> None:
    found = {"operations": {"add": {"relative_error": error, "relative_error_float32": 5e-4}}}
    place = "metrics/gradients.json: operations.add.relative_error"
    said = [] if holds else [f"{place}: must be at most 1e-12, got 1.1e-12"]
    assert lines(claims_of_gradients(found)) == said


@pytest.mark.parametrize(
    ("drift", "holds"),
    [
        ({"cloud": 0.0, "parameters": 0.1}, True),
        ({"cloud": CLOUD, "parameters": 0.1}, True),
        ({"cloud": 1.01 * CLOUD, "parameters": 1e-15}, False),
        ({"cloud": None, "parameters": 0.0}, False),
        ({"parameters": 0.0}, False),
    ],
)
def test_a_task_is_within_its_cloud(drift: dict[str, Any], holds: bool) -> None:
    assert claim_of_task("moons", {"drift": drift}).holds == holds


@pytest.mark.parametrize(("steps", "holds"), [((7, 7), True), ((7, 0), False), ((0, 7), False)])
def test_twins_that_diverge_do_so_at_one_step(steps: tuple[int, int], holds: bool) -> None:
    numpy, torch = ({"diverged_step": step} for step in steps)
    metrics = {"numpy": numpy, "torch": torch, "drift": {"parameters": None}}
    claim = claim_of_task("moons", metrics)
    assert claim.holds == holds
    expected = f"torch.diverged_step: must be {steps[0]}, got {steps[1]}"
    assert str(claim) == f"metrics/moons.json: {expected}"


def test_what_fails_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    say_what_fails(
        [Claim("a", "b", 0), Claim("a", "c", 2), Claim("a", "d", None, 1, exactly=False)]
    )
    said = "metrics/a.json: c: must be 0, got 2\nmetrics/a.json: d: must be at most 1, got null\n"
    assert capsys.readouterr() == ("", said)
