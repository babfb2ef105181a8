import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from pictures import assert_texts_are_readable, drawn, star
from sweep_files import RATES, SPREAD, a_sweep, bowl, grid

from stages.figures import layout, style
from stages.figures.sweeps.settings import Settings
from stages.figures.sweeps.sweep_losses import ABOVE, BELOW, DOT, LINE, draw_sweep

NAMES = [
    *("sgd", "adam", "adamw", "adamax", "nadam", "radam"),
    *("adagrad", "adadelta", "rmsprop", "rprop", "asgd"),
]


def panels(sweep: list[Settings]) -> dict[str, Axes]:
    """The axes of each optimizer by its name, in the order in which they are drawn."""
    found = {axes.texts[0].get_text(): axes for axes in drawn(draw_sweep(sweep)).axes}
    assert len(found) == len(sweep)
    return found


def below_name(axes: Axes) -> str:
    return str(axes.texts[2].get_text())


def marks(axes: Axes, marker: object) -> list[tuple[float, float]]:
    (line,) = (line for line in axes.lines if line.get_marker() is marker)
    return list(zip(*line.get_data(), strict=True))


def curve(axes: Axes) -> Line2D:
    (line,) = (line for line in axes.lines if line.get_linewidth() == LINE["linewidth"])
    return line


def test_a_panel_has_its_medians_its_quartiles_and_its_best(tmp_path: Path) -> None:
    points = grid(lr=RATES)
    axes = panels(a_sweep(tmp_path, sgd=(points, bowl(0.1))))["sgd"]
    losses = np.array([bowl(0.1)(point) for point in points])
    np.testing.assert_allclose(curve(axes).get_xdata(), np.log10(RATES))
    np.testing.assert_allclose(curve(axes).get_ydata(), losses[:, 2])
    (band,) = (found for found in axes.collections if isinstance(found, PolyCollection))
    corners = {(round(x, 9), round(math.log10(y), 9)) for x, y in band.get_paths()[0].vertices}
    for column in (1, 3):  # of five seeds these are the quartiles
        for rate, loss in zip(RATES, losses[:, column], strict=True):
            assert (round(math.log10(rate), 9), round(math.log10(loss), 9)) in corners
    best = losses[:, 2].argmin()
    assert star(axes) == pytest.approx((math.log10(RATES[best]), losses[best, 2]))
    assert below_name(axes) == f"{losses[best, 2]:.3g} at lr {RATES[best]:.2g}"


def test_panels_are_in_order_and_on_the_same_axes(tmp_path: Path) -> None:
    sweep = a_sweep(
        tmp_path,
        a=(grid(lr=[0.1, 1]), lambda _: math.inf),
        b=(grid(lr=[0.1, 1, 10]), bowl(1, lowest=0.1)),
        c=(grid(lr=[1, 10, 100]), bowl(10, lowest=0.01)),
    )
    found = panels(sweep)
    assert list(found) == ["c", "b", "a"]
    assert below_name(found["a"]) == "all diverged"
    assert len({axes.get_xlim() for axes in found.values()}) == 1
    assert len({axes.get_ylim() for axes in found.values()}) == 1
    low, high = found["c"].get_xlim()
    assert low < math.log10(0.1) < math.log10(100) < high
    labels = [axes.yaxis.get_tick_params()["labelleft"] for axes in found.values()]
    assert labels == [True, False, False]


def test_the_other_medians_are_behind(tmp_path: Path) -> None:
    sweep = a_sweep(
        tmp_path,
        a=(grid(lr=RATES), bowl(0.1)),
        b=(grid(lr=RATES[:9]), bowl(0.001)),
        c=(grid(lr=[1.0], rho=[0.1, 0.2]), lambda _: 0.5),
    )
    found = panels(sweep)
    behind = found["a"].lines[0].get_ydata()
    np.testing.assert_allclose(behind, [*curve(found["b"]).get_ydata(), np.nan])
    assert found["a"].lines[0].get_zorder() <= curve(found["a"]).get_zorder()
    labels = {name: axes.get_xlabel() for name, axes in found.items()}
    assert labels == {"a": "learning rate", "b": "learning rate", "c": "rho"}
    assert curve(found["c"]) is found["c"].lines[0]  # no other has rho


@pytest.mark.parametrize(("best", "hint"), [(RATES[0], " (smallest)"), (RATES[-1], " (largest)")])
def test_a_best_at_the_end_of_its_values_is_told(tmp_path: Path, best: float, hint: str) -> None:
    axes = panels(a_sweep(tmp_path, sgd=(grid(lr=RATES), bowl(best))))["sgd"]
    assert below_name(axes).endswith(hint)


def test_zero_and_explosions_are_marked_and_squeeze_nothing(tmp_path: Path) -> None:
    values = [0.0, 1e-30, 0.5, 0.1, 0.2, 3.0, 1e30, 1e300, 1.7e308, math.inf]
    losses = dict(zip(RATES, values, strict=False))
    sweep = a_sweep(
        tmp_path,
        a=(grid(lr=RATES[:10]), lambda point: losses[point["lr"]]),
        b=(grid(lr=RATES), bowl(0.1)),
        c=(grid(lr=RATES), bowl(1)),
    )
    axes = panels(sweep)["a"]
    low, high = axes.get_ylim()
    assert 1e-3 < low < 0.01
    assert high < 1e4
    assert [x for x, _ in marks(axes, ABOVE)] == pytest.approx(np.log10(RATES[6:9]))
    assert [x for x, _ in marks(axes, BELOW)] == pytest.approx(np.log10(RATES[:2]))
    assert {y for _, y in marks(axes, ABOVE)} == {high}
    assert {y for _, y in marks(axes, BELOW)} == {low}
    shown = curve(axes).get_ydata()
    assert np.isnan(shown[9])
    np.testing.assert_allclose(shown[2:6], values[2:6])
    assert (shown[:2] < low).all()
    assert (shown[6:9] > high).all()
    assert star(axes) == pytest.approx((math.log10(RATES[0]), low))
    assert below_name(axes) == "0 at lr 10⁻⁴ (smallest)"


def test_where_trainings_diverged_is_shaded_by_their_share(tmp_path: Path) -> None:
    shares = {0.1: [1.0] * 4, 1.0: [1, 1, 1, math.inf], 10.0: [math.inf] * 4}
    axes = panels(
        a_sweep(tmp_path, sgd=(grid(lr=list(shares)), lambda point: shares[point["lr"]]))
    )["sgd"]
    (mesh,) = (found for found in axes.collections if isinstance(found, QuadMesh))
    np.testing.assert_allclose(mesh.get_coordinates()[0, :, 0], [-1.5, -0.5, 0.5, 1.5])
    share = mesh.get_array().ravel()
    assert share.tolist() == [None, 0.25, 1.0]
    some, every = mesh.to_rgba(share)[1:]
    assert some[1] > every[1]  # lighter


def test_of_a_grid_the_best_for_each_learning_rate_is_drawn(tmp_path: Path) -> None:
    points = grid(lr=RATES, momentum=[0.0, 0.5, 0.9])

    def loss(point: dict[str, float]) -> Any:
        return bowl(0.1 * (1 - point["momentum"]))({"lr": point["lr"]})

    axes = panels(a_sweep(tmp_path, sgd=(points, loss)))["sgd"]
    expected = [min(loss({"lr": lr, "momentum": m})[2] for m in (0.0, 0.5, 0.9)) for lr in RATES]
    np.testing.assert_allclose(curve(axes).get_ydata(), expected)


def test_what_was_drawn_at_random_is_dots(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    points = [{"lr": 10 ** random.uniform(-4, 1), "rho": random.uniform()} for _ in range(40)]

    def loss(point: dict[str, float]) -> Any:
        if point["lr"] >= 3:
            return [math.inf] * 5
        return bowl(0.1)(point) * [1, 1, 1, 1, math.inf if point["rho"] > 0.8 else 1 + point["rho"]]

    (axes,) = panels(a_sweep(tmp_path, own=(points, loss))).values()
    alive = [point for point in points if point["lr"] < 3]
    assert 20 < len(alive) < 40
    (dots,) = (
        line for line in axes.lines if line.get_color() == DOT["color"] and len(line.get_xdata())
    )
    np.testing.assert_allclose(dots.get_xdata(), [math.log10(point["lr"]) for point in alive])
    np.testing.assert_allclose(dots.get_ydata(), [loss(point)[2] for point in alive])
    assert dots.get_linestyle() == "None"
    (bars,) = (found for found in axes.collections if isinstance(found, LineCollection))
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [np.sort(loss(point))[[1, 3]] for point in alive])
    (crosses,) = (line for line in axes.lines if line.get_marker() == "x")
    lost = [point["lr"] for point in points if point["lr"] >= 3 or point["rho"] > 0.8]
    assert len(lost) > 40 - len(alive)
    np.testing.assert_allclose(crosses.get_xdata(), np.log10(lost))


def test_one_hyperparameter_drawn_at_random_is_a_curve_in_order(tmp_path: Path) -> None:
    rates = 10 ** np.random.default_rng(1).uniform(-4, 1, 30)
    (axes,) = panels(a_sweep(tmp_path, sgd=(grid(lr=rates.tolist()), bowl(0.1)))).values()
    np.testing.assert_allclose(curve(axes).get_xdata(), np.sort(np.log10(rates)))


def test_a_single_setting_is_a_star(tmp_path: Path) -> None:
    sweep = a_sweep(tmp_path, sgd=(grid(lr=[0.1]), lambda _: SPREAD), b=(grid(lr=RATES), bowl(1)))
    found = panels(sweep)
    assert star(found["sgd"]) == (0, 1)
    assert below_name(found["sgd"]) == "1"
    assert found["sgd"].texts[1].get_text() == "lr=0.1"
    assert len(found["sgd"].get_xticks()) == 0


@pytest.mark.parametrize(
    "loss", [0.0, 1.0, 1e-320, 1.7e308, math.inf], ids=["zero", "one", "tiny", "huge", "diverged"]
)
@pytest.mark.parametrize("points", [grid(lr=[0.1]), grid(lr=RATES), grid(lr=[1, 2], rho=[0, 1])])
def test_any_losses_can_be_drawn(tmp_path: Path, loss: float, points: list[Any]) -> None:
    # Warnings are errors in these tests.
    found = panels(a_sweep(tmp_path, sgd=(points, lambda _: loss)))
    assert ("all diverged" in below_name(found["sgd"])) == math.isinf(loss)


def eleven(folder: Path) -> list[Settings]:
    """A sweep with everything that the legend can explain."""
    best = dict(zip(NAMES, np.geomspace(1e-4, 10, len(NAMES)), strict=True))

    def loss(name: str) -> Any:
        exploding = {RATES[-1]: math.inf, RATES[-2]: 1e200}
        return lambda point: exploding.get(point["lr"], bowl(best[name], best[name])(point))

    return a_sweep(folder, **{name: (grid(lr=RATES), loss(name)) for name in NAMES})


def test_no_text_is_on_another_or_leaves_the_picture(tmp_path: Path) -> None:
    figure = draw_sweep(eleven(tmp_path))
    assert_texts_are_readable(figure)
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert words == {
        "median of seeds",
        "quartiles",
        "other optimizers",
        "best",
        "diverged",
        "beyond the axis",
    }


def test_long_names_and_different_axes_leave_room_for_each_other(tmp_path: Path) -> None:
    long = "an_optimizer_with_a_very_long_name"
    fixed = {"weight_decay": 0.001, "maximize": False, "an_option_of_mine": "with a long value"}
    points = [{**point, **fixed} for point in grid(lr=RATES)]
    sweep = a_sweep(
        tmp_path,
        **{name: (points, bowl(1)) for name in (long, "adam", "radam", "nadam")},
        sgd=(grid(lr=[0.1], momentum=[0, 0.3, 0.6, 0.9], nesterov=[False, True]), lambda _: SPREAD),
        rprop=(grid(lr=[0.1], etas=[1e-7, 1e-6]), lambda _: 12.3456e-9),
        asgd=(grid(lr=[0.1], lambd=np.linspace(0, 1e-5, 5).tolist()), lambda _: SPREAD),
        adagrad=(grid(lr=[0.1], eps=[1.00001, 1.00002, 1.00003]), lambda _: SPREAD),
    )
    figure = draw_sweep(sweep)
    assert_texts_are_readable(figure)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert layout.shortened(long) in texts
    assert "1.23·10⁻⁸ at etas 10⁻⁷" in texts
    assert texts.count("lr=0.1 nesterov=true") == 1


def test_the_legend_explains_no_more_than_there_is(tmp_path: Path) -> None:
    figure = draw_sweep(a_sweep(tmp_path, sgd=(grid(lr=RATES), bowl(0.1))))
    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert words == {"median of seeds", "quartiles", "best"}
    assert to_rgba(style.BLUE) == to_rgba(curve(figure.axes[0]).get_color())
