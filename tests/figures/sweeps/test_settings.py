import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from sweep_files import RATES, a_sweep, bowl, grid

from stages.figures.sweeps.settings import read_sweep, window
from stages.sweeps.results import Runs, curves
from stages.task.curves import write_curves


def test_what_the_sweep_writes_is_read(tmp_path: Path) -> None:
    losses = np.array([[3.0, 1.0, 2.0, 4.0], [np.nan, 7.0, 5.0, 6.0], [np.nan, 1, np.nan, np.nan]])
    results = {"train_loss": losses, "diverged": np.isnan(losses).astype(np.int64)}
    points = {"lr": np.array([0.1, 0.2, 0.3]), "nesterov": np.array([False] * 3, object)}
    other = {"lr": np.array([0.5] * 3), "momentum": np.array([0.0, 0.5, 0.9])}
    write_curves(
        tmp_path / "a.csv", *curves([Runs("sgd", points, results), Runs("b", other, results)])
    )
    sgd, b = read_sweep(tmp_path / "a.csv")
    assert (sgd.optimizer, b.optimizer) == ("sgd", "b")
    assert (sgd.fixed, b.fixed) == ({"nesterov": "false"}, {"lr": "0.5"})
    np.testing.assert_equal(sgd.axes, {"lr": points["lr"]})
    np.testing.assert_equal(b.axes, {"momentum": other["momentum"]})
    np.testing.assert_array_equal(sgd.loss, [2.5, 6.5, math.inf])
    np.testing.assert_array_equal(sgd.lower, [1, 5, 1])
    np.testing.assert_array_equal(sgd.upper, [3, 7, math.inf])
    np.testing.assert_array_equal(sgd.diverged, [0, 0.25, 0.75])
    assert (sgd.best, sgd.along, b.along) == (0, "lr", "momentum")


def test_what_is_no_number_divides_an_optimizer(tmp_path: Path) -> None:
    points = grid(lr=[0.1, 1.0], mode=["sum", ""], centered=[True, False])
    sweep = a_sweep(
        tmp_path, own=(points, lambda point: point["lr"]), adam=(grid(lr=[1, 2]), bowl(1))
    )
    expected = itertools.product(("sum", "null"), ("true", "false"))
    assert [settings.fixed for settings in sweep[:4]] == [
        {"mode": mode, "centered": centered} for mode, centered in expected
    ]
    for settings in sweep[:4]:
        np.testing.assert_array_equal(settings.axes["lr"], [0.1, 1])
    assert sweep[4].fixed == {}  # adam has neither


def test_infinity_is_a_word_and_no_place_on_an_axis(tmp_path: Path) -> None:
    points = grid(lr=[1.0, 2.0], limit=[math.inf, 5.0])
    sweep = a_sweep(tmp_path, own=(points, lambda point: point["lr"]))
    assert [settings.fixed for settings in sweep] == [{"limit": "inf"}, {"limit": "5.0"}]


def test_what_was_drawn_twice_is_there_once(tmp_path: Path) -> None:
    points = [{"lr": 0.1}, {"lr": 0.5}, {"lr": 0.1}]
    (settings,) = a_sweep(tmp_path, sgd=(points, lambda point: point["lr"]))
    np.testing.assert_array_equal(settings.axes["lr"], [0.1, 0.5])
    assert settings.are_a_grid


def test_a_grid_has_all_combinations_in_any_order(tmp_path: Path) -> None:
    points = grid(lr=[0.1, 1, 10], momentum=[0, 0.5])
    random = np.random.default_rng(1)
    shuffled = [points[place] for place in random.permutation(len(points))]
    drawn = [{"lr": lr, "momentum": share} for lr, share in random.uniform(0.1, 1, (6, 2))]
    losses = {tuple(point.values()): loss for point, loss in zip(points, range(6), strict=True)}
    whole, part, random_draws = (
        a_sweep(tmp_path, sgd=(some, lambda point: losses.get(tuple(point.values()), 1)))[0]
        for some in (shuffled, shuffled[1:], drawn)
    )
    assert (whole.are_a_grid, part.are_a_grid, random_draws.are_a_grid) == (True, False, False)
    by_both = whole.best_by("momentum", "lr")
    np.testing.assert_array_equal(whole.loss[by_both], [[0, 2, 4], [1, 3, 5]])


def test_all_other_hyperparameters_are_at_their_best(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    losses = random.uniform(size=(4, 3, 5))
    losses[1, :, 2] = np.inf
    axes = {"lr": [1.0, 2.0, 3.0, 4.0], "rho": [0.1, 0.2, 0.3], "eps": [1.0, 2.0, 3.0, 4.0, 5.0]}

    def loss(point: dict[str, float]) -> float:
        return losses[tuple(axes[name].index(point[name]) for name in axes)]

    (settings,) = a_sweep(tmp_path, own=(grid(**axes), loss))
    chosen = settings.best_by("lr", "eps")
    np.testing.assert_array_equal(settings.loss[chosen], losses.min(axis=1))
    assert (settings.axes["lr"][chosen] == np.array(axes["lr"])[:, None]).all()
    assert (settings.axes["eps"][chosen] == axes["eps"]).all()
    np.testing.assert_array_equal(settings.loss[settings.best_by("lr")], losses.min(axis=(1, 2)))
    assert settings.loss[settings.best] == losses.min()


def rising(*losses: float) -> tuple[list[dict[str, float]], object]:
    """Losses at the learning rates 1, 2, …"""
    return grid(lr=list(range(1, len(losses) + 1))), lambda point: losses[point["lr"] - 1]


@pytest.mark.parametrize(
    ("sweep", "expected"),
    [
        ({"a": rising(3, 1, 0.5, 40)}, (0.5, 40)),
        ({"a": rising(3, 1, 0.5, 40, 1e30, math.inf)}, (0.5, 40)),
        ({"a": rising(3, 0.5, 0), "b": rising(2, 1e-19, 1e-5), "c": rising(1, 2)}, (0.5, 3)),
        ({"a": rising(1e-17, 1e-16, 0.1)}, (1e-17, 1e-16)),
        ({"a": rising(0, 0, math.inf)}, (0.1, 10)),
        ({"a": rising(2, 2)}, (2, 2)),
        ({"a": rising(*[1e-10] * 30), "b": rising(1, 2), "c": rising(1, 3)}, (1, 3)),
        ({"a": rising(1e-10), "b": rising(1)}, (1e-10, 1)),
        ({"a": rising(0.5, 0.1, 0.02, 1e-17), "b": rising(0.6, 0.2, 1e-17)}, (1e-17, 0.6)),
        ({"a": rising(1, 2, 3), "b": rising(2, 1e30, 1e40, 1e50)}, (1, 3)),
        ({"a": rising(1e308, 1.7e308)}, (0.1, 10)),
        ({"a": rising(1e299, 1.7e308)}, (1e299, 1e299)),
    ],
)
def test_the_window_is_where_losses_are_worth_comparing(
    tmp_path: Path, sweep: dict[str, object], expected: tuple[float, float]
) -> None:
    assert window(a_sweep(tmp_path, **sweep)) == expected


def test_the_window_has_no_hole_for_the_best_of_similar_optimizers(tmp_path: Path) -> None:
    sweep = a_sweep(
        tmp_path, a=(grid(lr=RATES), bowl(0.1)), b=(grid(lr=RATES), bowl(1, lowest=0.0001))
    )
    low, high = window(sweep)
    assert low == min(settings.loss.min() for settings in sweep)
    assert high <= max(settings.loss.max() for settings in sweep)
