"""Medians, quartiles and widths against numbers worked out by hand."""

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from networks import mlp

from stages.sweeps.blocks import Block
from stages.sweeps.results import Runs, constant_loss, curves, gather, summary, write_runs
from stages.task.curves import write_curves
from stages.task.hyperparameters import SGD
from stages.task.table import Table

NAN, INF = math.nan, math.inf


def runs(losses: list[list[float]], name: str = "sgd", **points: list[Any]) -> Runs:
    """Runs with these training losses and ten times as large test losses; NaN is a diverged run."""
    train = np.array(losses, float)
    axes = points or {"lr": list(np.logspace(0, len(losses) - 1, len(losses)))}
    return Runs(
        name,
        {
            axis: np.fromiter(v, float if all(isinstance(x, float) for x in v) else object)
            for axis, v in axes.items()
        },
        {
            "steps": np.full(train.shape, 5),
            "diverged": np.isnan(train).astype(int),
            "train_loss": train,
            "test_loss": 10 * train,
            "test_accuracy": np.where(np.isnan(train), np.nan, 1 - train / 100),
        },
    )


def test_the_best_setting_is_that_of_the_smallest_median() -> None:
    found = runs([[1, 9, 8, 7, 9], [5, 6, 3, 2, 4], [4.5, 4.5, 4.5, 4.5, 4.5]])
    assert found.median.tolist() == [8, 4, 4.5]
    assert found.quartiles.tolist() == [[7, 3, 4.5], [9, 5, 4.5]]
    assert summary(found, 0.0) == {
        "trainings": 15,
        "diverged": 0,
        "best": {"lr": 10.0},
        "train_loss": 4.0,
        "test_loss": 40.0,
        "test_accuracy": pytest.approx(0.96),
        "spread": 2.0,
        "lr_width": 0.0,
    }


def test_quartiles_of_eight_are_the_second_and_the_sixth() -> None:
    found = runs([[8, 7, 6, 5, 4, 3, 2, 1]])
    assert found.quartiles.tolist() == [[2], [6]]
    assert found.median.tolist() == [4.5]


def test_one_that_diverged_counts_as_the_worst() -> None:
    metrics = summary(runs([[NAN, 1, 3, 2], [4, 4, 4, 4]]), 0.0)
    assert (metrics["diverged"], metrics["best"]) == (1, {"lr": 1.0})
    assert (metrics["train_loss"], metrics["test_loss"]) == (2.5, 25.0)
    assert metrics["test_accuracy"] == pytest.approx(0.975)
    assert metrics["spread"] == 2.0  # 3 - 1, the quartiles of 1 2 3 inf


def test_a_setting_that_diverged_from_half_of_the_seeds_is_not_the_best() -> None:
    found = runs([[NAN, 0, 0, NAN], [4, 5, 6, 7]])
    assert found.median.tolist() == [INF, 5.5]
    assert summary(found, 0.0)["best"] == {"lr": 10.0}


def test_of_more_than_a_quarter_that_diverged_the_spread_is_unknown() -> None:
    metrics = summary(runs([[NAN, NAN, 1, 2, 3]]), 0.0)
    assert (metrics["train_loss"], metrics["spread"]) == (3.0, None)


def test_all_diverged() -> None:
    found = runs([[NAN, NAN], [NAN, 1]])
    assert summary(found, 0.0) == {"trainings": 4, "diverged": 3}
    assert found.quartiles.tolist() == [[INF, 1], [INF, INF]]


def test_a_test_loss_that_is_infinite_is_unknown() -> None:
    found = runs([[1.0, 2.0, 3.0]])
    found.results["test_loss"][0, 1:] = INF
    assert summary(found, 0.0)["test_loss"] is None


@pytest.mark.parametrize(
    ("medians", "width"),
    [
        ([9, 1.1, 1.05, 1, 1.1, 1.2], 3),
        ([1, 2, 1.01, 2, 1.01, 2], 0),  # not across a worse one
        ([1.05, 1, 2, 1, 1, 1], 1),
        ([1, 1, 1, 1, 1, 1], 5),
        ([NAN, NAN, 1, 1.1000001, NAN, 1], 0),
        ([0, 0, 1e-300, 0, 0, 0], 1),
    ],
)
def test_the_width_of_the_learning_rates(medians: list[float], width: float) -> None:
    assert summary(runs([[median] for median in medians]), 0.0)["lr_width"] == pytest.approx(width)


@pytest.mark.parametrize(
    ("medians", "width"),
    [
        ([0, 1e-17, 0, 4e-4, 6e-4, 0.1], 4),
        ([0, 7e-4, 0, 0, 0, 0], 0),  # not across a worse one
        ([2e-4, 3e-4, 9e-4, 1, 1, 1], 1),
        ([0.1, 0.109, 0.2, 1, 1, 1], 1),  # far from 0 only a tenth counts
    ],
)
def test_what_is_next_to_nothing_is_as_good_as_zero(medians: list[float], width: float) -> None:
    found = runs([[median] for median in medians])
    assert summary(found, math.log(2))["lr_width"] == pytest.approx(width)


def test_a_constant_loses_half_the_variance_or_the_entropy() -> None:
    numbers = Table(np.zeros((4, 1)), np.array([1.0, 1.0, 3.0, 3.0]), ["x"], "y")
    line, classifier = mlp([]), mlp([], loss="cross_entropy")
    assert constant_loss(numbers, line) == 0.5
    assert constant_loss(replace(numbers, units=(7.0, 10.0)), line) == 50  # 10 is 1 deviation
    classes = Table(np.zeros((4, 1)), np.array([0, 1, 1, 1]), ["x"], "y", ("a", "b", "c"))
    found = constant_loss(classes, classifier)
    assert found == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))
    one = replace(classes, target=np.zeros(4, np.int64))
    assert constant_loss(one, classifier) == 0


def test_the_width_is_that_of_rates_that_are_otherwise_alike() -> None:
    """The points come in any order, as if drawn at random."""
    found = runs(
        [[1.0], [1.0], [1.0], [1.09], [1.05], [3.0], [0.999]],
        lr=[100.0, 1.0, 10.0, 0.1, 1000.0, 1e4, 1e5],
        momentum=[0.9, 0.9, 0.0, 0.9, 0.9, 0.9, 0.9],
    )
    assert summary(found, 0.0)["best"] == {"lr": 1e5, "momentum": 0.9}
    assert summary(found, 0.0)["lr_width"] == 0.0  # 1e4 is worse
    found.results["train_loss"][5] = 1.0
    assert summary(found, 0.0)["lr_width"] == pytest.approx(6)


def test_no_width_without_other_rates() -> None:
    drawn = runs([[1.0], [1.0]], lr=[0.1, 1.0], betas=[(0.9, 0.99), (0.5, 0.99)])
    assert summary(drawn, 0.0)["best"] == {"lr": 0.1, "betas": (0.9, 0.99)}
    assert "lr_width" not in summary(drawn, 0.0)
    assert "lr_width" not in summary(runs([[1.0], [2.0]], momentum=[0.1, 0.2]), 0.0)


def test_runs_are_gathered_in_the_order_of_their_rows() -> None:
    """Two optimizers, three points and two seeds, in blocks of any order."""

    def block(name: str, seed: int, rows: list[int], lr: list[float]) -> Block:
        return Block(name, SGD, {}, seed, np.array(rows), {"lr": np.array(lr)})

    planned = [
        block("b", 1, [7], [0.7]),
        block("a", 0, [0, 4], [0.1, 0.3]),
        block("a", 1, [3], [0.2]),
        block("b", 0, [6], [0.7]),
        block("a", 0, [2], [0.2]),
        block("a", 1, [1, 5], [0.1, 0.3]),
    ]
    results = {
        n: {"best_train_loss": -one.rows, "train_loss": one.rows * 1.0, "steps": one.rows}
        for n, one in enumerate(planned)
    }
    b, a = gather(planned, results, 2)
    assert (a.optimizer, b.optimizer) == ("a", "b")
    assert a.points["lr"].tolist() == [0.1, 0.2, 0.3]
    assert a.results["train_loss"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert b.results["train_loss"].tolist() == [[6, 7]]
    # in the order of computation, not of the file
    assert list(a.results) == ["steps", "train_loss", "best_train_loss"]


def test_the_table_has_a_row_for_each_run(tmp_path: Path) -> None:
    gathered = [
        runs([[1, 2], [3, NAN]], lr=[0.1, 0.3]),
        runs([[5, INF]], "mine", lr=["auto"], betas=[(0.9, 0.99)], nesterov=[True]),
    ]
    write_runs(tmp_path / "new" / "sweep.parquet", gathered, range(7, 9))
    rows = pq.read_table(tmp_path / "new" / "sweep.parquet").to_pylist()
    assert [row["optimizer"] for row in rows] == ["sgd"] * 4 + ["mine"] * 2
    assert [row["lr"] for row in rows] == ["0.1", "0.1", "0.3", "0.3", "auto", "auto"]
    assert [row["betas"] for row in rows] == [None] * 4 + [[0.9, 0.99]] * 2
    assert [row["nesterov"] for row in rows] == [None] * 4 + [True] * 2
    assert [row["seed"] for row in rows] == [7, 8] * 3
    assert [row["train_loss"] for row in rows] == [1, 2, 3, pytest.approx(NAN, nan_ok=True), 5, INF]
    assert [row["diverged"] for row in rows] == [0, 0, 0, 1, 0, 0]
    names = ["optimizer", "lr", "betas", "nesterov", "seed", *gathered[0].results]
    assert list(rows[0]) == names
    write_runs(tmp_path / "numbers.parquet", gathered[:1], range(2))
    assert str(pq.read_schema(tmp_path / "numbers.parquet").field("lr").type) == "double"


def test_the_curves_have_a_line_for_each_point(tmp_path: Path) -> None:
    gathered = [runs([[1, 2], [3, NAN]], lr=[0.1, 1.0]), runs([[5, 5]], "adam", eps=[1e-8])]
    write_curves(tmp_path / "sweep.csv", *curves(gathered))
    with (tmp_path / "sweep.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["optimizer", "lr", "eps", "train_loss", "lower", "upper", "diverged"],
            ["sgd", "0.1", "", "1.5", "1.0", "2.0", "0.0"],
            ["sgd", "1.0", "", "", "3.0", "", "0.5"],
            ["adam", "", "1e-08", "5.0", "5.0", "5.0", "0.0"],
        ]
