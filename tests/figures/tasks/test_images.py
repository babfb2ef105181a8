"""Images with the filters for them, as a training that only pretends to learn leaves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import assert_texts_are_readable

from stages.figures import layout, style
from stages.figures.tasks.details import details_of
from stages.figures.tasks.images import COLUMNS, HEIGHT, ROWS, draw_images, image_shape
from stages.figures.tasks.learned import Results
from stages.task.table import Table

SHAPE = (4, 3)
NAMES = [f"pixel_{row}_{column}" for row, column in product(*map(range, SHAPE))]
CLASSES = ["zero", "one", "two"]


@dataclass
class Twin:
    """A twin that predicts a class for each sample of the test part, -1 for one that diverged."""

    predicted: np.ndarray
    snapshots: dict[str, np.ndarray]
    steps: np.ndarray

    def outputs(self, _: np.ndarray, moments: Sequence[int]) -> np.ndarray:
        logits = np.eye(len(CLASSES))[self.predicted]
        return np.where(self.predicted[:, None] < 0, np.nan, logits)[None].repeat(len(moments), 0)


def table(target: Sequence[int], names: Sequence[str] = NAMES) -> Table:
    pixels = np.random.default_rng(1).random((len(target), len(names)))
    return Table(pixels, np.array(target), names, "kind", CLASSES)


def results(target: Sequence[int], predicted: Sequence[int], filters: np.ndarray) -> Results:
    snapshots = {"conv.bias": np.zeros((2, len(filters))), "conv.weight": np.stack([filters] * 2)}
    twin = Twin(np.array(predicted), snapshots, np.array([0, 5]))
    return Results(table([0, 1]), table(target), {"numpy": twin, "torch": twin})


FILTERS = np.random.default_rng(2).normal(size=(5, 1, 3, 3))


@pytest.mark.parametrize(
    ("names", "shape"),
    [
        (NAMES, SHAPE),
        (["a_0_0", "a_0_1", "a_1_0", "a_1_1"], (2, 2)),
        (["0_0", "0_1", "1_0", "1_1"], None),
        (["a_0_0", "a_1_0", "a_0_1", "a_1_1"], None),  # column by column
        (["a_0_0", "b_0_1", "a_1_0", "a_1_1"], None),
        (["a_1_1", "a_1_2", "a_2_1", "a_2_2"], None),  # from 1
        (["a_0_0", "a_0_1", "a_0_2"], None),  # one row
        (["x", "a_999999_999999"], None),
        (["x1", "x2"], None),
    ],
)
def test_images_are_known_by_the_names_of_their_pixels(
    names: list[str], shape: tuple[int, int] | None
) -> None:
    assert image_shape(names) == shape


def test_mistakes_stand_first_in_a_frame_with_what_they_are() -> None:
    target = [0, 1, 2] * 10
    predicted = [*target]
    predicted[4], predicted[11] = 0, 1
    found = results(target, predicted, FILTERS)
    figure = layout.empty(HEIGHT)
    draw_images(found, SHAPE, figure)
    assert_texts_are_readable(figure)
    filters, samples = figure.axes[:5], figure.axes[5:]
    for axes, weights in zip(filters, FILTERS, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), weights[0])
        assert axes.images[0].get_clim() == (-np.abs(FILTERS).max(), np.abs(FILTERS).max())
    texts = [axes.texts[0].get_text() for axes in samples]
    assert len(texts) == ROWS * COLUMNS
    assert texts[:3] == ["zero (one)", "one (two)", "zero"]
    assert not any("(" in text for text in texts[2:])
    framed = [to_hex(axes.spines["left"].get_edgecolor()) for axes in samples]
    assert framed.count(style.VERMILION.lower()) == 2
    order = [4, 11, 0, 1, 2, 3, 5]
    for axes, sample in zip(samples, order, strict=False):
        pixels = found.test.features[sample].reshape(SHAPE)
        np.testing.assert_array_equal(axes.images[0].get_array(), pixels)
    words = [text.get_text() for text in figure.texts]
    assert words[1].startswith("2 of 30 test samples are classified wrong")


@pytest.mark.parametrize(
    ("predicted", "filters", "drawn"),
    [
        ([0, 1], FILTERS, 7),
        ([0, 1], FILTERS[:, :0], 2),  # no grey images
        ([0, 1], FILTERS.repeat(4, axis=0), COLUMNS + 2),
        ([0, 1], FILTERS * np.nan, 2),
        ([-1, -1], FILTERS * np.nan, 0),  # diverged
    ],
)
def test_what_is_not_there_is_not_drawn(
    predicted: list[int], filters: np.ndarray, drawn: int
) -> None:
    figure = layout.empty(HEIGHT)
    draw_images(results([0, 1], predicted, filters), SHAPE, figure)
    assert len(figure.axes) == drawn


def test_a_task_of_images_has_a_larger_picture() -> None:
    images = results([0, 1], [0, 1], FILTERS)
    assert details_of(images).height == HEIGHT
    others = Results(table([0, 1], NAMES[::-1]), images.test, images.twins)
    assert details_of(others).height == 0
