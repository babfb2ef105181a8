import math

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from stages.figures import style


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
    axes = style.empty(3).subplots()
    axes.plot([0, 1, 2, 3], [high, low, math.nan, 0.0])
    style.log_axis(axes)
    FigureCanvasAgg(axes.figure).draw()
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert set(shown) <= set(labels)
    assert len(shown) >= 3


def test_a_log_axis_without_a_value_is_drawn() -> None:
    axes = style.empty(3).subplots()
    axes.plot([0, 1], [math.nan, math.nan])
    style.log_axis(axes)
    FigureCanvasAgg(axes.figure).draw()


def test_names_of_columns_are_not_taken_for_mathematics() -> None:
    figure = style.empty(2)
    figure.text(0.5, 0.5, "price ($) of $x_{2")
    FigureCanvasAgg(figure).draw()


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_text_is_readable_and_neighbouring_classes_differ_in_lightness() -> None:
    for colour in (style.INK, style.GREY):
        assert (1.05) / (luminance(colour) + 0.05) >= 4.5
    lights = [luminance(colour) for colour in style.CLASS_COLOURS[:3]]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        contrast = (max(lights[one], lights[other]) + 0.05) / (
            min(lights[one], lights[other]) + 0.05
        )
        assert contrast >= 1.5  # seen without any colour


def test_a_class_beyond_the_colours_has_another_marker() -> None:
    looks = {(style.class_colour(index), style.class_marker(index)) for index in range(36)}
    assert len(looks) == 36
