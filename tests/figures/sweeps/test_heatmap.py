import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from pictures import assert_texts_are_readable, drawn, star
from sweep_files import RATES, SPREAD, a_sweep, bowl, grid

from stages.figures.sweeps.heatmap import NOTHING, draw_heatmaps
from stages.figures.sweeps.settings import Settings

MOMENTA = np.linspace(0, 0.9, 10).tolist()


def with_momentum(point: dict[str, float]) -> Any:
    """Best at learning rate 0.1 · (1 - momentum), and better with more momentum."""
    return bowl(0.1 * (1 - point["momentum"]), 0.01 * (2 - point["momentum"]))(point)


def maps(sweep: list[Settings]) -> Figure:
    figure = draw_heatmaps(sweep)
    assert figure is not None
    return drawn(figure)


def panels(sweep: list[Settings]) -> list[Axes]:
    return [axes for axes in maps(sweep).axes if axes.texts]


def mesh(axes: Axes) -> QuadMesh:
    (found,) = (found for found in axes.collections if isinstance(found, QuadMesh))
    return found


def crosses(axes: Axes) -> set[tuple[float, float]]:
    (line,) = (line for line in axes.lines if line.get_marker() == "x")
    return {(round(float(x), 9), round(float(y), 9)) for x, y in zip(*line.get_data(), strict=True)}


def test_a_cell_has_the_colour_of_its_loss(tmp_path: Path) -> None:
    points = grid(momentum=MOMENTA, lr=RATES)
    (axes,) = panels(a_sweep(tmp_path, sgd=(points, with_momentum)))
    cells = mesh(axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning rate", "momentum")
    corners = cells.get_coordinates()
    assert corners.shape == (len(MOMENTA) + 1, len(RATES) + 1, 2)
    colours, (_, worst) = cells.get_array().reshape(len(MOMENTA), len(RATES)), cells.get_clim()
    for row, momentum in enumerate(MOMENTA):
        for column, lr in enumerate(RATES):
            loss = with_momentum({"lr": lr, "momentum": momentum})[2]
            assert colours[row, column] == pytest.approx(min(math.log10(loss), worst))
            left, bottom = corners[row, column]
            right, top = corners[row + 1, column + 1]
            assert left < math.log10(lr) < right
            assert bottom < momentum < top
    losses = {(p["lr"], p["momentum"]): with_momentum(p)[2] for p in points}
    best = min(losses, key=lambda key: losses[key])
    assert star(axes) == pytest.approx((math.log10(best[0]), best[1]))
    assert axes.texts[2].get_text() == (
        f"{losses[best]:.3g} at lr {best[0]:.3g}, momentum {best[1]:.3g}"
    )


def test_a_third_hyperparameter_is_at_its_best(tmp_path: Path) -> None:
    losses = np.random.default_rng(1).uniform(0.5, 1, (5, 4, 3))
    axes_values = {"rho": [1.0, 2.0, 3.0, 4.0, 5.0], "eps": [1.0, 2.0, 3.0, 4.0], "t": [1.0, 2, 3]}

    def loss(point: dict[str, float]) -> float:
        return losses[tuple(int(value) - 1 for value in point.values())]

    (axes,) = panels(a_sweep(tmp_path, own=(grid(**axes_values), loss)))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rho", "eps")
    np.testing.assert_allclose(mesh(axes).get_array().reshape(4, 5), np.log10(losses.min(axis=2)).T)
    rho, eps, t = (int(place) + 1 for place in np.unravel_index(losses.argmin(), losses.shape))
    assert star(axes) == (rho - 1, eps - 1)  # by rank, as there are so few
    assert axes.texts[2].get_text() == f"{losses.min():.3g} at rho {rho}, eps {eps}, t {t}"


def test_diverged_cells_are_grey_and_crossed(tmp_path: Path) -> None:
    losses = {(0.1, 0.0): [1, 1, 1, math.inf], (1.0, 0.5): [math.inf] * 4, (0.1, 0.5): [2.0] * 4}

    def loss(point: dict[str, float]) -> list[float]:
        return losses.get((point["lr"], point["momentum"]), [1.0] * 4)

    (axes,) = panels(a_sweep(tmp_path, sgd=(grid(lr=[0.1, 1.0], momentum=[0.0, 0.5]), loss)))
    colours = mesh(axes).get_array().reshape(2, 2)
    np.testing.assert_array_equal(np.ma.getmaskarray(colours), [[False, False], [False, True]])
    assert axes.get_facecolor() == to_rgba(NOTHING)
    assert crosses(axes) == {
        (0, 0),
        (1, 1),
    }  # one that diverged from some seeds has its colour, too


def test_zero_is_the_smallest_and_explosions_are_the_largest_colour(tmp_path: Path) -> None:
    values = {0.1: 0.0, 1.0: 0.5, 10.0: 1.0, 100.0: 1e30}
    points = grid(lr=list(values), momentum=[0.0, 0.5])
    figure = maps(a_sweep(tmp_path, sgd=(points, lambda p: values[p["lr"]])))
    axes, bar = figure.axes
    colours = mesh(axes).get_array().reshape(2, 4)[0]
    assert not np.ma.is_masked(colours)
    np.testing.assert_allclose(colours, np.log10([0.5, 0.5, 1, 1]))
    assert mesh(axes).get_clim() == pytest.approx((math.log10(0.5), 0))
    assert len(bar.patches) == 2  # at both ends a triangle: there is more
    assert bar.get_xlim() == pytest.approx((math.log10(0.5), 0))
    assert axes.texts[2].get_text() == "0 at lr 0.1, momentum 0"


def test_the_colours_are_for_the_better_half(tmp_path: Path) -> None:
    losses = dict(zip(RATES, np.geomspace(1, 1e6, len(RATES)) ** 0.5, strict=True))
    points = grid(lr=RATES, momentum=[0.0, 0.5])
    figure = maps(a_sweep(tmp_path, sgd=(points, lambda p: losses[p["lr"]])))
    axes, bar = figure.axes
    low, high = mesh(axes).get_clim()
    assert (10**low, 10**high) == pytest.approx((1, sorted(losses.values())[(len(RATES) - 1) // 2]))
    assert len(bar.patches) == 1  # a triangle at the right end: there is more
    labels = [label.get_text() for label in bar.get_xticklabels()]
    ticks = [10 ** (share * high) for share in (1 / 6, 1 / 2, 5 / 6)]
    assert [float(label) for label in labels] == pytest.approx(ticks, rel=5e-3)


def test_one_colour_means_one_loss_in_all_panels(tmp_path: Path) -> None:
    points = grid(lr=RATES, momentum=MOMENTA)
    sweep = a_sweep(
        tmp_path,
        worse=(points, lambda point: 10 * with_momentum(point)),
        better=(points, with_momentum),
        one=(grid(lr=RATES), bowl(1)),
    )
    found = panels(sweep)
    assert [axes.texts[0].get_text() for axes in found] == ["better", "worse"]
    assert len({mesh(axes).get_clim() for axes in found}) == 1


def test_cells_of_an_uneven_list_are_of_one_size_with_its_values(tmp_path: Path) -> None:
    betas = [0.9, 0.0, 0.999, 0.99]
    sweep = a_sweep(tmp_path, adam=(grid(lr=RATES, beta=betas), bowl(0.1)))
    (axes,) = panels(sweep)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "0.9", "0.99", "0.999"]
    np.testing.assert_array_equal(axes.get_yticks(), range(4))
    assert set(np.diff(mesh(axes).get_coordinates()[:, 0, 1])) == {1.0}


def test_what_was_drawn_at_random_is_coloured_dots(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    points = [
        {"lr": 10 ** random.uniform(-4, 1), "momentum": random.uniform(0, 0.95)} for _ in range(60)
    ]

    def loss(point: dict[str, float]) -> Any:
        return with_momentum(point) if point["lr"] < 1 else [math.inf] * 5

    (axes,) = panels(a_sweep(tmp_path, sgd=(points, loss)))
    (dots,) = (found for found in axes.collections if isinstance(found, PathCollection))
    alive = [point for point in points if point["lr"] < 1]
    assert 30 < len(alive) < 60
    places = np.array([[math.log10(point["lr"]), point["momentum"]] for point in points])
    np.testing.assert_allclose(dots.get_offsets(), places[[p["lr"] < 1 for p in points]])
    losses = np.array([loss(point)[2] for point in alive])
    np.testing.assert_allclose(dots.get_array(), np.log10(losses).clip(*dots.get_clim()))
    lost = places[[p["lr"] >= 1 for p in points]]
    assert crosses(axes) == {(round(x, 9), round(y, 9)) for x, y in lost.tolist()}
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert low < places[:, 0].min() < places[:, 0].max() < high
    assert bottom < places[:, 1].min() < places[:, 1].max() < top


def test_without_two_numbers_there_is_no_map(tmp_path: Path) -> None:
    sweep = a_sweep(
        tmp_path,
        sgd=(grid(lr=RATES, nesterov=[False, True]), bowl(0.1)),
        adam=(grid(lr=RATES, eps=[1e-8]), bowl(0.1)),
    )
    assert draw_heatmaps(sweep) is None


@pytest.mark.parametrize("loss", [0.0, 1.0, 1e-320, 1.7e308, math.inf])
@pytest.mark.parametrize(
    "points",
    [
        grid(lr=[1, 2], rho=[0, 1]),
        [{"lr": 0.1, "rho": 0.2}, {"lr": 0.3, "rho": 0.5}],
        [{"lr": 0.1, "rho": 0.2, "mode": "a"}, {"lr": 0.3, "rho": 0.5, "mode": "b"}],
    ],
    ids=["grid", "drawn", "divided"],
)
def test_any_losses_can_be_drawn(tmp_path: Path, loss: float, points: list[Any]) -> None:
    # Warnings are errors in these tests.
    found = panels(a_sweep(tmp_path, sgd=(points, lambda _: loss)))
    assert all(("all diverged" in axes.texts[2].get_text()) == math.isinf(loss) for axes in found)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_no_text_is_on_another_or_leaves_the_picture(tmp_path: Path, count: int) -> None:
    points = grid(lr=RATES, weight_decay=[0.001, 0.01, 0.1, 1.0], initial_accumulator_value=[1, 2])

    def loss(point: dict[str, float]) -> Any:
        return bowl(0.1)(point) if point["lr"] < 3 else SPREAD * [1, 1, 1, math.inf, math.inf]

    names = [f"an_optimizer_with_a_long_name_{number}" for number in range(count)]
    fixed = {"maximize": False, "momentum": 0.5, "eps": 1e-8}
    points = [{**point, **fixed} for point in points]
    sweep = a_sweep(tmp_path, **dict.fromkeys(names, (points, loss)))
    figure = maps(sweep)
    assert_texts_are_readable(figure)
    captions = [[text.get_text() for text in axes.texts] for axes in figure.axes if axes.texts]
    assert len(captions) == count
    for lines in captions:
        setting = " ".join(line for line in lines[2:] if line)
        assert re.fullmatch(
            r"0.01\d* at lr 0.1, weight_decay 0.001, initial_accumulator_value 1", setting
        )
