import math
from itertools import combinations

import pytest
from pictures import contrast, drawn

from stages.figures import layout, style


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1, 2000, ["1", "10", "100", "1000"]),
        (0.02, 0.7, ["0.03", "0.1", "0.3"]),
        (1.0, 5.0, ["1", "2", "5"]),
        (1.10, 1.14, ["1.08", "1.1", "1.12", "1.14", "1.16"]),
        (1e-4, 7e-4, ["10⁻⁴", "2·10⁻⁴", "5·10⁻⁴"]),
        (2e-6, 4e-5, ["3·10⁻⁶", "10⁻⁵", "3·10⁻⁵"]),
        (1, 1e300, ["1", "10¹⁰⁰", "10²⁰⁰", "10³⁰⁰"]),
    ],
)
def test_a_log_axis_has_a_few_plain_labels(low: float, high: float, labels: list[str]) -> None:
    axes = layout.empty(3).subplots()
    axes.plot([0, 1, 2, 3], [high, low, math.nan, 0.0])
    style.log_axis(axes)
    drawn(axes.figure)
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert set(shown) <= set(labels)
    assert len(shown) >= 3


def test_a_log_axis_without_a_value_is_drawn() -> None:
    axes = layout.empty(3).subplots()
    axes.plot([0, 1], [math.nan, math.nan])
    style.log_axis(axes)
    drawn(axes.figure)


def test_names_of_columns_are_not_taken_for_mathematics() -> None:
    figure = layout.empty(2)
    figure.text(0.5, 0.5, "price ($) of $x_{2")
    drawn(figure)


def test_text_is_readable_and_neighbouring_classes_differ_in_lightness() -> None:
    for colour in (style.INK, style.GREY):
        assert contrast(colour, "white") >= 4.5
    for one, other in combinations(style.CLASS_COLOURS[:3], 2):
        assert contrast(one, other) >= 1.5  # seen without any colour


def test_a_class_beyond_the_colours_has_another_marker() -> None:
    looks = {(style.class_colour(index), style.class_marker(index)) for index in range(36)}
    assert len(looks) == 36
