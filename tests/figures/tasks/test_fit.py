import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from networks import predict
from pictures import assert_texts_are_readable

from stages.figures.tasks.fit import draw_fit
from stages.figures.tasks.learned import Learned, Results
from stages.figures.tasks.line import Line, configured_line, least_squares
from stages.task.source import Generator, OwnTable
from stages.task.table import Table

FORMULA = r"(-?[\d.]+) x ([+−]) ([\d.]+)"


def samples(count: int, features: int = 1, scale: float = 1.0) -> Table:
    random = np.random.default_rng(count)
    x = random.uniform(0, 10, (count, features))
    y = scale * (3 * x.sum(axis=1) - 40 + random.normal(size=count))
    return Table(x, y, [f"x{index}" for index in range(features)], "y")


def twin(slope: float, intercept: float, features: int = 1) -> Learned:
    """A linear model whose weights are all `slope`."""
    snapshots = {
        "0.weight": np.full((1, 1, features), slope),
        "0.bias": np.full((1, 1), intercept),
    }
    history = {"epoch": [0.0], "step": [0.0], "train_loss": [1.0]}
    return Learned(history, np.array([0]), snapshots, predict)


def both(train: Table, test: Table, learned: Learned) -> Results:
    return Results(train, test, {"numpy": learned, "torch": learned})


def lines(axes: Axes, count: int) -> list[np.ndarray]:
    """The lines with so many points, as (2, points)."""
    return [np.array(line.get_data()) for line in axes.lines if len(line.get_xdata()) == count]


def test_each_line_has_its_slope_and_intercept_in_the_legend() -> None:
    train = samples(300)
    figure = draw_fit(both(train, samples(40), twin(2.5, -30)), Line(3, 0))
    assert_texts_are_readable(figure)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    slope, intercept = np.polyfit(train.features[:, 0], train.target, 1)
    found = {text.partition(":")[0]: re.search(FORMULA, text) for text in texts}
    assert list(found) == ["NumPy", "PyTorch", "least squares", "configured", "train", "test"]
    for name, a, b in (("NumPy", 2.5, -30), ("least squares", slope, intercept)):
        match = found[name]
        assert match
        number = float(match[3]) * (1 if match[2] == "+" else -1)
        assert (float(match[1]), number) == pytest.approx((a, b), rel=5e-4)
    assert found["configured"][0] == "3 x + 0"


@pytest.mark.parametrize("count", [2, 1100])
def test_least_squares_is_that_of_numpy(count: int) -> None:
    table = samples(count, scale=1e3)
    expected = np.polyfit(table.features[:, 0], table.target, 1)
    np.testing.assert_allclose(least_squares(table), expected, rtol=1e-9)


def test_there_is_no_best_line_through_samples_of_one_x() -> None:
    assert least_squares(Table(np.ones((3, 1)), np.arange(3.0), ["x"], "y")) is None


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"slope": 10, "intercept": 5.5, "samples": 9}, (10, 5.5)),
        ({"slope": "1e1", "intercept": 5}, (10, 5)),
        ({"slope": 10}, None),
        ({"slope": [1], "intercept": 5}, None),
        ({"slope": True, "intercept": 5}, None),
        ({}, None),
    ],
)
def test_the_configured_line_is_that_of_the_options(options: dict[str, Any], line: object) -> None:
    assert configured_line(Generator(source="line.py", options=options, seed=1)) == line


def test_a_table_has_no_configured_line() -> None:
    assert configured_line(OwnTable(source="a.csv", target="slope")) is None


def test_residuals_are_what_is_measured_beyond_what_is_predicted() -> None:
    train, test = samples(50), samples(20)
    _, right = draw_fit(both(train, test, twin(2.5, -30))).axes
    for table in (train, test):
        predicted = 2.5 * table.features[:, 0] - 30
        (dots,) = lines(right, len(table.target))
        np.testing.assert_allclose(dots, [predicted, table.target - predicted], atol=1e-12)
    best = least_squares(train)
    assert best is not None
    *twins, reference = lines(right, 200)
    for zero in twins:
        assert not zero[1].any()
    x = (reference[0] + 30) / 2.5
    np.testing.assert_allclose(reference[1], best.at(x) - reference[0], atol=1e-9)


def test_residuals_of_many_features_are_those_of_the_test_part() -> None:
    test = samples(20, features=3)
    figure = draw_fit(both(samples(50, features=3), test, twin(2.5, -30, features=3)), Line(1, 2))
    assert_texts_are_readable(figure)
    predicted = 2.5 * test.features.sum(axis=1) - 30
    for dots in lines(figure.axes[1], 20):
        np.testing.assert_allclose(dots, [predicted, test.target - predicted], atol=1e-12)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["NumPy", "PyTorch"]


@pytest.mark.parametrize("scale", [1e-4, 100.0, 1e5, 1e8, 1e100])
@pytest.mark.parametrize("features", [1, 2])
def test_numbers_of_any_size_are_readable(scale: float, features: int) -> None:
    # Warnings are errors in these tests.
    train, test = samples(50, features, scale), samples(20, features, scale)
    figure = draw_fit(both(train, test, twin(2.5 * scale, -30 * scale, features)))
    assert_texts_are_readable(figure)


SHAPES = {"0.weight": (1, 4, 1), "0.bias": (1, 4), "2.weight": (1, 1, 4), "2.bias": (1, 1)}
LAYERS = replace(twin(1, 1), snapshots={name: np.ones(shape) for name, shape in SHAPES.items()})
WAVE = replace(twin(1, 1), predict=lambda parameters, x: np.sin(x)[None])


@pytest.mark.parametrize("learned", [LAYERS, WAVE], ids=["layers", "wave"])
def test_a_model_that_is_no_line_is_not_compared_with_one(learned: Learned) -> None:
    figure = draw_fit(both(samples(50), samples(20), learned), Line(3, 0))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["NumPy", "PyTorch", "train", "test"]
