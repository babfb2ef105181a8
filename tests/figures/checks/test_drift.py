import math

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import assert_texts_are_readable
from pictures import drawn as laid_out

from stages.figures.checks.drift import draw_drift

STEPS = [0, 1, 2, 5, 10, 100, 1000, 5000]
SGD = [0.0, 0.0, 1e-16, 0.0, 2e-16, 5e-16, 1e-15, 3e-15]
ADAM = [0.0, 2e-16, 3e-16, 1e-15, 2e-15, 1e-14, 2e-14, 2e-13]


def drawn(steps: list[int] = STEPS, **optimizers: list[float]) -> Figure:
    return laid_out(draw_drift({"step": steps, **optimizers}))


def curves(figure: Figure, axes: int) -> dict[str, list[list[float]]]:
    """The points of the lines that are drawn, by their colour, in the order of the optimizers."""
    found: dict[str, list[list[float]]] = {}
    for line in figure.axes[axes].lines:
        if line.get_color().lower() != "#8c8c8c" and len(line.get_xdata()) != 1:
            points = line.get_xydata()
            found[line.get_color()] = points[np.isfinite(points).all(axis=1)].tolist()
    return found


def texts(figure: Figure, axes: int) -> dict[str, float]:
    return {text.get_text(): text.get_position()[1] for text in figure.axes[axes].texts}


def test_positive_values_are_on_the_log_axis_and_zeros_in_the_strip_below() -> None:
    figure = drawn(SGD=SGD, Adam=ADAM)
    above, strip = figure.axes
    assert (above.get_yscale(), strip.get_yscale()) == ("log", "linear")
    assert above.get_position().y0 > strip.get_position().y1
    sgd, adam = curves(figure, 0).values()
    rows = list(zip(STEPS[1:], SGD[1:], ADAM[1:], strict=True))
    assert sgd == [[step, value] for step, value, _ in rows if value > 0]
    assert adam == [[step, value] for step, _, value in rows]
    zeros, none = curves(figure, 1).values()
    assert [step for step, _ in zeros] == [1, 5]
    assert none == []


def test_every_zero_is_at_the_tick_of_zero() -> None:
    strip = drawn(SGD=SGD, Adam=[0.0, 0.0, 0.0, *ADAM[3:]]).axes[1]
    assert strip.get_yticks().tolist() == [0]
    dots = [line for line in strip.lines if line.get_marker() == "o"]
    assert [set(line.get_ydata()) for line in dots] == [{0.0}, {0.0}]
    first, second = (line.get_markersize() for line in dots)
    assert first > second  # both are seen where both are 0


def test_no_line_leads_over_a_zero() -> None:
    line = next(line for line in drawn(SGD=SGD).axes[0].lines if len(line.get_xdata()) > 2)
    assert line.get_xdata().tolist() == STEPS[1:]
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [0, 2]


def test_every_value_is_inside_the_axes() -> None:
    figure = drawn(SGD=SGD, Adam=ADAM)
    (left, right), (low, high) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert left < 1
    assert right == 5000
    assert low <= 1e-16
    assert high >= 2e-13
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ticks = figure.axes[0].get_yticks()
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    for label, tick in zip(labels, ticks, strict=True):
        assert 10.0 ** int(label.removeprefix("10").translate(superscripts)) == tick
    steps = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert steps == ["1", "10", "100", "1000", "5000"]


def test_the_resolution_of_float64_is_a_line_across() -> None:
    axes = drawn(SGD=SGD).axes[0]
    across = [line for line in axes.lines if line.get_transform() == axes.get_yaxis_transform()]
    assert [set(line.get_ydata()) for line in across] == [{2.0**-52}]


def test_names_are_at_the_ends_of_their_lines() -> None:
    figure = drawn(SGD=SGD, Adam=ADAM)
    axes = figure.axes[0]
    for name, end in (("SGD", 3e-15), ("Adam", 2e-13), ("float64\nresolution", 2.0**-52)):
        place = axes.transAxes.inverted().transform(axes.transData.transform((1, end)))
        assert texts(figure, 0)[name] == pytest.approx(place[1], abs=1e-9)
    assert texts(figure, 1).keys() == {"bit-identical"}


def test_names_of_lines_that_end_together_are_not_on_each_other() -> None:
    figure = drawn(SGD=ADAM, Adam=ADAM, AdamW=[value * 1.1 for value in ADAM])
    assert len(figure.axes[0].texts) == 4
    assert_texts_are_readable(figure)


def test_twins_that_never_differ_are_named_beside_the_strip() -> None:
    figure = drawn(SGD=[0.0] * len(STEPS), Adam=ADAM)
    assert texts(figure, 1).keys() == {"SGD bit-identical"}
    assert "SGD" not in texts(figure, 0)
    assert drawn(SGD=[0.0] * len(STEPS)).axes[0].get_ylim() == pytest.approx((1e-16, 1e-15))


def test_a_value_that_is_missing_and_a_single_step_are_drawn() -> None:
    missing = drawn(SGD=[*SGD[:-2], math.nan, math.nan])
    assert texts(missing, 0)["SGD"] > 0
    assert drawn([0, 1], SGD=[0.0, 1e-16]).axes[0].get_xlim()[1] > 1
