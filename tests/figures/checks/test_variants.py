from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from pictures import assert_texts_are_readable, contrast, drawn, linear

from stages.figures.checks.variants import RAMP, UNKNOWN, ZERO, colour, draw_variants
from stages.task.variants import Variant, read_variants

LONG = "lr=0.1 betas=[0.8, 0.99] weight_decay=0.01 amsgrad=True maximize=True"
CONTENT = f"""optimizer,variant,ulp_ieee,ulp_native,first_difference
SGD,lr=0.1,0,1,0
SGD,lr=0.1 momentum=0.6,0,125,0
Adam,"{LONG}",0,87654,0
Adam,lr=0.1 weight_decay=0.01 momentum_decay=0.001,0,0,0
Muon,lr=0.001,23,4611686018427387904,17
SparseAdam,lr=0.1,0,2,0
Lion,lr=0.01 weight_decay=0.1,,,
LBFGS,lr=0.2,0,,0
"""
LEVELS = [1, 3, *(int(10 ** (power / 4)) for power in range(4, 36)), 10**18]


@pytest.fixture
def variants(tmp_path: Path) -> list[Variant]:
    path = tmp_path / "variants.csv"
    path.write_text(CONTENT)
    return read_variants(path)


def axes_of(variants: list[Variant]) -> Axes:
    (axes,) = drawn(draw_variants(variants)).axes
    return axes


def test_an_empty_field_is_none(variants: list[Variant]) -> None:
    assert variants[2] == Variant("Adam", LONG, 0, 87654, 0)
    assert variants[-2] == Variant("Lion", "lr=0.01 weight_decay=0.1", None, None, None)
    assert variants[-1] == Variant("LBFGS", "lr=0.2", 0, None, 0)
    assert len(variants) == 8


def test_every_name_hyperparameter_and_number_is_in_the_picture(variants: list[Variant]) -> None:
    texts = [text.get_text() for text in axes_of(variants).texts]
    words = " ".join(texts)
    for row in variants:
        assert texts.count(row.optimizer) == 1
        for hyperparameter in row.variant.split():
            assert hyperparameter in words
    for number in ("125", "87654", "23", "5·10¹⁸", "no reference"):
        assert texts.count(number) == 1
    assert "(differs from step 17)" in words
    assert words.count("differs") == 1


def test_a_cell_has_the_colour_of_its_number(variants: list[Variant]) -> None:
    axes = axes_of(variants)
    cells = [cell for cell in axes.artists + axes.patches if isinstance(cell, Rectangle)]
    found = {}
    for text in axes.texts:
        around = [
            cell
            for cell in cells
            if cell.get_x() < text.get_position()[0] < cell.get_x() + cell.get_width()
            and cell.get_y() < text.get_position()[1] < cell.get_y() + cell.get_height()
        ]
        assert len(around) <= 1
        if around:
            found[text.get_text()] = around[0].get_facecolor()[:3]
    numbers = {"0": 0, "125": 125, "87654": 87654, "23": 23, "5·10¹⁸": 2**62, "2": 2}
    for text, ulp in numbers.items():
        assert found[text] == to_rgb(colour(ulp))
    assert found["no reference"] == to_rgb(UNKNOWN)


def test_each_number_is_below_the_name_of_its_arithmetic(variants: list[Variant]) -> None:
    axes = axes_of(variants)
    across: dict[str, set[float]] = {}
    for text in axes.texts:
        across.setdefault(text.get_text(), set()).add(round(text.get_position()[0], 6))
    assert across["23"] < across["IEEE"]
    assert across["125"] | across["87654"] | across["5·10¹⁸"] == across["native"]
    assert across["IEEE"].isdisjoint(across["native"])


def test_no_text_is_on_another_or_leaves_the_picture(variants: list[Variant]) -> None:
    figure = draw_variants(variants * 4)
    assert_texts_are_readable(figure)
    (axes,) = figure.axes
    cells = [cell.get_window_extent() for cell in axes.patches]
    for text in axes.texts:
        box = text.get_window_extent()
        over = [cell for cell in cells if box.overlaps(cell)]
        if "=" in text.get_text():
            assert not over, text
        elif over:  # what is written in a cell stays in it
            assert len(over) == 1, text
            assert over[0].x0 < box.x0 < box.x1 < over[0].x1, text


def test_the_optimizers_are_in_two_columns_of_about_one_height(variants: list[Variant]) -> None:
    rows = [Variant(f"Class{index}", "lr=0.1", 0, 0, 0) for index in range(10)]
    axes = axes_of(rows)
    left = {text.get_text(): text.get_position() for text in axes.texts}
    assert len({left[row.optimizer][0] for row in rows}) == 2
    assert left["Class0"][1] == left["Class5"][1]
    assert left["Class0"][0] < left["Class5"][0]
    for few in (rows[:1], variants[:2], variants):
        assert draw_variants(few).get_figheight() <= draw_variants(variants).get_figheight()


# Machado, Oliveira, Fernandes 2009: what people without one kind of cone see, of linear RGB.
SIGHTS = {
    "all cones": np.eye(3),
    "no long-wave cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no middle-wave cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def lightness_and_hue(name: str, sight: object) -> np.ndarray:
    """CIE L*a*b* as someone sees it."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    seen = (np.array(sight) @ linear(name)).clip(0, 1)
    x, y, z = np.cbrt(np.array(to_xyz) @ seen / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHTS)
def test_zero_is_told_from_every_other_number_by_any_eye(sight: str) -> None:
    zero = lightness_and_hue(colour(0), SIGHTS[sight])
    for ulp in LEVELS:
        assert np.linalg.norm(lightness_and_hue(colour(ulp), SIGHTS[sight]) - zero) > 20, ulp
    ramp = [lightness_and_hue(name, SIGHTS[sight])[0] for name in RAMP]
    assert np.diff(ramp).max() < -5  # a larger difference is darker


def test_colours_follow_the_logarithm_up_to_the_end_of_the_ramp() -> None:
    assert [colour(100**step) for step in range(5)] == [name.lower() for name in RAMP]
    assert colour(10**9) == colour(10**8)
    assert colour(10) not in (colour(1), colour(100))
    assert (colour(0), colour(None)) == (ZERO, UNKNOWN)


def test_numbers_are_readable_on_every_colour() -> None:
    rows = [Variant("SGD", "lr=0.1", 0, ulp, 0) for ulp in LEVELS]
    numbers = [text for text in axes_of(rows).texts if text.get_text().isdecimal()]
    assert len(numbers) > len(LEVELS)
    for text in numbers:
        assert contrast(colour(int(text.get_text())), text.get_color()) >= 4.5, text
