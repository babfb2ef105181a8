import pytest

from stages.figures.checks.variants import ZERO
from stages.pages import tables
from stages.task.variants import Variant


def test_no_difference_has_a_colour_of_its_own() -> None:
    rows = [
        Variant("SGD", "lr=0.1", 0, 12, 0),
        Variant("SGD", "", 0, None, 0),
        Variant("Lion", "lr=0.1", None, None, None),
    ]
    found = tables.variants(rows)
    assert len(found.columns) == 4  # none differs
    ieee = [row[2] for row in found.rows]
    native = [row[3] for row in found.rows]
    assert [cell.fill for cell in ieee] == [ZERO, ZERO, None]
    assert [cell.text for cell in native] == ["12", "diverges", "no reference"]
    assert native[0].fill not in (ZERO, None)
    assert found.rows[1][1].text == "defaults"


def test_the_first_step_that_differs_is_shown_where_one_does() -> None:
    rows = [Variant("SGD", "lr=0.1", 0, 0, 0), Variant("Muon", "lr=0.1", 3, 3, 17)]
    found = tables.variants(rows)
    assert found.columns[-1] == "first step that differs"
    assert [row[-1].text for row in found.rows] == [None, "17"]


def test_the_best_optimizer_is_first_and_one_that_diverged_last() -> None:
    metrics = {
        "asgd": {"trainings": 8, "diverged": 8},
        "sgd": {"trainings": 8, "diverged": 0, "best": {"lr": 0.1}, "train_loss": 0.5},
        "lion": {"trainings": 1, "diverged": 0, "best": {}, "train_loss": 0.0},
        "drift": {"runs": 1, "train_loss": 0.0},
    }
    found = tables.sweep("moons", metrics)
    assert found.columns == ["optimizer", "best setting", "train loss", "trainings", "diverged"]
    shown = [[cell.text for cell in row] for row in found.rows]
    assert shown == [
        ["lion", "as given", "0", "1", "0"],
        ["sgd", "lr 0.1", "0.5", "8", "0"],
        ["asgd", None, None, "8", "8"],
    ]


def test_a_package_that_is_not_there_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PACKAGES", ("numpy", "no-such-package-at-all"))
    *_, numpy, missing = tables.versions().rows
    assert numpy[1].text is not None
    assert missing[1].text is None
