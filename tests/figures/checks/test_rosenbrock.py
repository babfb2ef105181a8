import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from pictures import assert_texts_are_readable
from pictures import drawn as laid_out

from stages.figures import style
from stages.figures.checks import rosenbrock as picture
from stages.figures.checks.rosenbrock import draw_paths, rosenbrock

START = (-1.5, 2.0)
SPIRAL = np.linspace(0, 20, 301)
WALK = np.add(START, np.stack([np.cos(SPIRAL) - 1, np.sin(SPIRAL)], axis=1) * SPIRAL[:, None] / 20)
NAMES = ["SGD", "Adam", "AdamW", "LBFGS", "Muon"]


def drawn(**optimizers: dict[str, np.ndarray]) -> Figure:
    return laid_out(draw_paths(optimizers, dict.fromkeys(optimizers, "lr=0.1")))


def lines(figure: Figure, part: str) -> list[Line2D]:
    """In each panel the line that is drawn for a part of the picture."""
    looks = picture.LOOKS[part]
    look = looks["color"], looks.get("marker", "None")
    every = [line for axes in figure.axes for line in axes.lines]
    return [line for line in every if (line.get_color(), line.get_marker()) == look]


def captions(figure: Figure) -> list[list[str]]:
    return [[text.get_text() for text in axes.texts[:2]] for axes in figure.axes]


def notes(figure: Figure) -> list[list[str]]:
    """The lines of text inside each panel."""
    return [axes.texts[2].get_text().splitlines() for axes in figure.axes]


def test_the_function_has_its_published_values() -> None:
    # Moré, Garbow, Hillstrom, "Testing unconstrained optimization software", 1981: 24.2 at the
    # standard start, 0 at the minimum.
    x, y = np.array([-1.2, 1.0, 0.0, 1e200]), np.array([1.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(rosenbrock(x, y), [24.2, 0, 1, np.inf], rtol=1e-15)


@pytest.mark.parametrize("count", [1, 4, 5])
def test_every_optimizer_has_a_panel_with_its_name_path_start_and_end(count: int) -> None:
    some = {name: {"numpy": WALK + 0.1 * index} for index, name in enumerate(NAMES[:count])}
    figure = drawn(**some)
    assert [texts[0] for texts in captions(figure)] == NAMES[:count]
    parts = (lines(figure, part) for part in ("numpy", "start", "end"))
    for path, line, start, end in zip(some.values(), *parts, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path["numpy"])
        np.testing.assert_array_equal(start.get_xydata(), path["numpy"][:1])
        np.testing.assert_array_equal(end.get_xydata(), path["numpy"][-1:])
    assert [line.get_xydata().tolist() for line in lines(figure, "minimum")] == [[[1, 1]]] * count


def test_the_legend_says_how_many_steps_once() -> None:
    figure = drawn(SGD={"numpy": WALK, "torch": WALK})
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["NumPy", "PyTorch", "start", "after 300 steps", "minimum"]


def test_dots_are_torchs_own_points_apart_from_each_other_and_near_to_all_of_them() -> None:
    theirs = WALK + 0.05
    figure = drawn(SGD={"numpy": WALK, "torch": theirs})
    (axes,), (dots,) = figure.axes, lines(figure, "torch")
    kept = dots.get_xydata()
    assert {tuple(point) for point in kept} <= {tuple(point) for point in theirs}
    place = axes.transData.transform(kept) / style.DPI
    apart = np.hypot(*(place[:, None] - place).T) + np.diag(np.full(len(kept), np.inf))
    assert apart.min() >= picture.APART
    every = axes.transData.transform(theirs) / style.DPI
    assert np.hypot(*(every[:, None] - place).T).min(axis=0).max() < picture.APART
    assert 5 < len(kept) < 200


def test_without_a_reference_there_are_no_dots() -> None:
    assert lines(drawn(Lion={"numpy": WALK}), "torch") == []


def test_a_panel_names_the_hyperparameters_and_no_line_is_wider() -> None:
    variants = {"SGD": "lr=0.1 momentum=0.9", "Lion": "lr=0.1 betas=(0.9, 0.99) weight_decay=0.1"}
    figure = draw_paths({name: {"numpy": WALK[:100]} for name in variants}, variants)
    assert_texts_are_readable(figure)
    assert [" ".join(lines) for lines in notes(figure)] == list(variants.values())
    assert [len(lines) for lines in notes(figure)] == [1, 2]


@pytest.mark.parametrize(
    ("steps", "text"),
    [(0, []), (1, ["1 step outside the frame"]), (7, ["7 steps outside the frame"])],
)
def test_a_path_that_leaves_the_frame_says_so(steps: int, text: list[str]) -> None:
    path = WALK.clip(-1.9, 1.9)
    path[100 : 100 + steps] = (0.0, 9.0)
    assert notes(drawn(SGD={"numpy": path})) == [["lr=0.1", *text]]


@pytest.mark.parametrize("last", [np.nan, np.inf])
def test_a_path_that_diverged_is_drawn_up_to_there_and_says_when(last: float) -> None:
    path = WALK.copy()
    path[100:140] = 1e300
    path[140, 1] = path[141:] = last
    figure = drawn(SGD={"numpy": path, "torch": path})
    assert captions(figure) == [["SGD", "diverged at step 140"]]
    (line,) = lines(figure, "numpy")
    assert len(line.get_xydata()) == 140
    np.testing.assert_array_equal(line.get_xydata()[:100], path[:100])
    assert np.abs(line.get_xydata()).max() < 1000


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ((1, 1), "f = 0"),
        ((0, 0), "f = 1"),
        ((-1.2, 1), "f = 24"),
        ((1.0001, 1.0002), "f = 10⁻⁸"),
        ((5, 0), "f = 63000"),
        ((1e200, 0), "f = ∞"),
    ],
)
def test_the_caption_says_how_low_a_path_ends(end: tuple[float, float], text: str) -> None:
    figure = drawn(SGD={"numpy": np.array([START, end], np.float64)})
    assert captions(figure) == [["SGD", text]]


def test_shades_are_the_powers_of_ten_of_the_function() -> None:
    (axes,) = drawn(SGD={"numpy": WALK}).axes
    regions = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    points = np.random.default_rng(0).uniform([-1.9, -0.9], [1.9, 2.9], (500, 2))
    powers = np.log10(rosenbrock(*points.T))
    clear = np.abs(powers - powers.round()) > 0.1  # regions are exact to a cell of the grid
    assert {0, 1, 2, 3} <= set(np.floor(powers[clear]))
    for power, region in enumerate(regions):
        inside = region.get_path().contains_points(points[clear])
        highest = np.inf if power == 3 else power + 1
        np.testing.assert_array_equal(
            inside, (power < powers[clear]) & (powers[clear] < highest), str(power)
        )


def test_a_start_far_away_is_inside_all_panels() -> None:
    figure = drawn(SGD={"numpy": WALK}, Adam={"numpy": np.add(WALK, (5.0, -7.0))})
    for axes in figure.axes:
        assert axes.viewLim.contains(*START)
        assert axes.viewLim.contains(3.5, -5.0)
        assert axes.viewLim.contains(1, 1)
