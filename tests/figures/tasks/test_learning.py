from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from networks import predict
from pictures import assert_texts_are_readable

from stages.figures import layout
from stages.figures.tasks.learned import Learned, Results
from stages.figures.tasks.learning import draw_moments
from stages.task.table import Table


def moments(features: int, classes: tuple[str, ...] | None = None, scale: float = 1.0) -> Figure:
    """Six moments of a training that has hardly begun."""
    random = np.random.default_rng(0)
    outputs = 1 if classes is None else len(classes)
    x = scale * random.uniform(0.1, 1, (60, features))
    y = scale * random.uniform(0.1, 1, 60) if classes is None else np.arange(60) % outputs
    table = Table(x, y, [f"x{index}" for index in range(features)], "price", classes)
    snapshots = {
        "0.weight": random.normal(size=(51, outputs, features)),
        "0.bias": random.normal(size=(51, outputs)),
    }
    history = {"epoch": [0.0], "step": [0.0], "train_loss": [1.0]}
    twin = Learned(history, np.arange(51), snapshots, predict)
    return draw_moments(Results(table, table, {"numpy": twin, "torch": twin}))


@pytest.mark.parametrize("scale", [1e-5, 0.3, 1.0, 999.0, 123_456.0, 9.9e9])
@pytest.mark.parametrize(("features", "classes"), [(1, None), (2, None), (2, ("a", "b"))])
def test_numbers_of_any_size_lie_on_nothing(
    features: int, classes: tuple[str, ...] | None, scale: float
) -> None:
    assert_texts_are_readable(moments(features, classes, scale))


def test_a_legend_says_what_the_colours_are() -> None:
    (legend,) = moments(2, ("a", "b", "c")).legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["NumPy", "PyTorch", "a", "b", "c", "train", "test", "classified wrong"]


def test_counts_need_no_legend() -> None:
    assert not moments(3, ("a", "b")).legends


@pytest.mark.parametrize("high", [1.0, 1e6, 123_456.0])
@pytest.mark.parametrize("inches", [0.9, 4.0])
def test_numbers_along_an_axis_are_as_many_as_fit(high: float, inches: float) -> None:
    figure = Figure(figsize=(inches, 3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, high), ylim=(0, high))
    layout.number_ticks(axes)
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    for one, other in pairwise(boxes):
        assert one.x1 < other.x0
    assert 2 <= len(boxes) <= 7
