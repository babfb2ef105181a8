"""What is claimed from the metrics, in sentences: what holds, and the name of what does not."""

from typing import Any

import pytest

from stages.pages.verdict import Sentence, headline, sentences
from stages.proofs.claims import CLOUD

SAME = {"variants": 2, "steps": 300, "ulp_ieee": 0, "ulp_native": 9, "first_difference": 0}
OTHER = SAME | {"ulp_ieee": 2**60, "first_difference": 17}
OWN = {"variants": 2, "steps": 300, "ulp_repeated": 0, "ulp_runs": 0, "descending": 2}


def claimed(**metrics: Any) -> list[Sentence]:
    """The sentences of some files; the others are empty."""
    nothing: dict[str, Any] = {"optimizers": {}, "training": {}, "gradients": {}}
    return sentences(nothing | metrics, [name for name in metrics if name not in nothing])


def texts(claims: object, *, holds: bool) -> list[str]:
    return [claim.text for claim in claims if claim.holds == holds]  # type: ignore[attr-defined]


def test_optimizers_that_hold_are_one_claim_and_others_are_named() -> None:
    claims = claimed(optimizers={"SGD": SAME, "Adam": SAME, "Muon": OTHER})
    assert texts(claims, holds=True) == [
        "Bit for bit as torch.optim: 4 variants of 2 optimizers, 300 steps"
    ]
    assert texts(claims, holds=False) == [
        "Muon differs from its reference by up to 1.2·10¹⁸ units in the last place, "
        "first at step 17"
    ]
    assert {claim.section for claim in claims} == {"optimizers"}


@pytest.mark.parametrize("found", [{"variants": 1, "steps": 3}, SAME | {"ulp_ieee": None}])
def test_what_has_not_been_compared_does_not_hold(found: dict[str, Any]) -> None:
    assert claimed(optimizers={"SGD": found}) == [
        Sentence("SGD has not been compared", False, "optimizers")
    ]


@pytest.mark.parametrize(
    ("found", "text", "holds"),
    [
        (OWN, "Bit for bit as itself, run again: my.Lion", True),
        (OWN | SAME, "Bit for bit as its reference: my.Lion", True),
        (OWN | {"ulp_repeated": 1}, "my.Lion does not repeat itself", False),
        (OWN | {"variants": 3}, "my.Lion does not descend in 1 of 3 variants", False),
        (OWN | {"ulp_runs": 1}, "my.Lion is not the same among many runs as alone", False),
        (
            OWN | OTHER,
            "my.Lion differs from its reference by up to 1.2·10¹⁸ units in the last place",
            False,
        ),
        ({name: OWN[name] for name in OWN if name != "ulp_runs"}, "run again: my.Lion", True),
    ],
)
def test_an_optimizer_of_ones_own(found: dict[str, Any], text: str, holds: bool) -> None:
    (claim,) = claimed(optimizers={"my.Lion": found})
    assert text in claim.text
    assert claim.holds == holds


def test_trainings() -> None:
    same = {"steps": 1000, "ulp_ieee": 0, "first_difference": 0}
    (claim,) = claimed(training={"SGD": same, "Adam": same})
    assert claim.holds
    assert claim.text.endswith("trainings with SGD and Adam, 1000 steps")
    claims = claimed(training={"SGD": same, "Adam": same | OTHER})
    assert [claim.holds for claim in claims] == [True, False]


@pytest.mark.parametrize(
    ("error", "holds"), [(0.0, True), (1e-12, True), (1.1e-12, False), (None, False)]
)
def test_gradients(error: float | None, holds: bool) -> None:
    good = {"relative_error": 1e-16, "relative_error_float32": 1e-7}
    metrics = {"operations": {"add": good | {"relative_error": error}}, "models": {"relu": good}}
    claims = claimed(gradients=metrics)
    assert all(claim.holds for claim in claims) == holds
    assert holds == ("1 operation and 1 model" in claims[0].text)
    assert bool(texts(claims, holds=False)) != holds


def task(radii: float | None, *steps: int) -> dict[str, Any]:
    numpy, torch = steps or (0, 0)
    twins = {"numpy": {"diverged_step": numpy}, "torch": {"diverged_step": torch}}
    return {**twins, "drift": {"cloud": radii}}


def test_tasks_that_hold_are_one_claim_with_the_largest_difference() -> None:
    (claim,) = claimed(moons=task(0.0), spirals=task(0.25))
    assert claim.holds
    assert claim.text == (
        "No further apart than rounding explains: 2 tasks trained by both (moons, spirals), "
        "at most 0.25 times as far apart as trainings that round otherwise"
    )


def test_a_task_that_does_not_hold_is_named() -> None:
    claims = claimed(moons=task(CLOUD), spirals=task(1e7))
    assert texts(claims, holds=False) == [
        "spirals: the twins are 10⁷ times as far apart as trainings that round otherwise, "
        "more than rounding explains"
    ]
    assert {claim.section: claim.holds for claim in claims} == {
        "task-moons": True,
        "task-spirals": False,
    }


def test_twins_that_diverge_at_one_step_are_equal_in_that() -> None:
    (both,) = claimed(moons=task(None, 7, 7))
    assert both == Sentence("moons: both twins diverged at step 7", True, "task-moons")
    (one,) = claimed(moons=task(None, 7, 0))
    assert not one.holds
    assert one.text == "moons: NumPy diverged at step 7, PyTorch did not"
    (neither,) = claimed(moons=task(None))
    assert neither.text == "moons: the twins are no finite distance apart"
    assert not neither.holds


def test_the_headline_counts_what_does_not_hold() -> None:
    good, bad = Sentence("", True, ""), Sentence("", False, "")
    assert headline([good, good]) == "Everything that should be equal is equal."
    assert headline([good, bad]) == "1 of 2 proofs does not hold."
    assert headline([bad, good, bad]) == "2 of 3 proofs do not hold."
    assert headline([]) == "Nothing has been proven."
