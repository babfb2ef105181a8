"""Maps of attention, as a training that only pretends to learn leaves it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import assert_texts_are_readable

from stages.figures import layout, style
from stages.figures.tasks import attention
from stages.figures.tasks.details import details_of
from stages.figures.tasks.learned import Results
from stages.figures.tasks.panels import panel_of
from stages.task.table import Table

CLASSES = ["0", "1", "2"]
MOMENTS = 3


@dataclass
class Twin:
    """A twin that answers in the last moment as it should, but for one sample."""

    answers: np.ndarray
    wrong: int
    attentive: bool = True
    diverged: bool = False
    steps: np.ndarray = field(default_factory=lambda: np.arange(MOMENTS))

    def outputs(self, features: np.ndarray, moments: Sequence[int]) -> np.ndarray:
        found = []
        for moment in moments:
            answers = features[:, 2:].copy() * 0
            answers[:, 0], answers[:, 1] = features[:, :2].min(1), features[:, :2].max(1)
            if moment < MOMENTS - 1:
                answers[:] = 2
            answers[(features == self.answers).all(1)] = 2
            found.append(np.eye(3)[answers.astype(int)])
        return np.full_like(found, np.nan) if self.diverged else np.stack(found)

    def attention(self, features: np.ndarray, moments: Sequence[int]) -> np.ndarray | None:
        weights = np.tri(4) / np.tri(4).sum(1, keepdims=True)
        shape = len(moments), len(features), 2, 4, 4
        return np.broadcast_to(weights, shape) if self.attentive else None


def table(samples: int) -> Table:
    """Two of three tokens, a separator, and the smaller one; both are to be predicted in order."""
    pairs = np.array([[0, 1], [1, 0], [2, 1], [0, 2], [1, 2], [2, 0]] * 3)[:samples]
    ordered = np.sort(pairs, axis=1)
    separator = np.full((samples, 1), 3)
    features = np.hstack([pairs, separator, ordered[:, :1]]).astype(np.float64)
    return Table(features, ordered, ["a", "b", "c", "d"], "answer", CLASSES)


def results(wrong: int = 2, **options: bool) -> Results:
    test = table(5)
    twin = Twin(test.features[wrong], wrong, **options)
    return Results(table(8), test, {"numpy": twin, "torch": twin})


def test_a_panel_shows_what_is_read_and_what_is_predicted_at_each_moment() -> None:
    figure = layout.empty(3.5)
    axes = figure.subplots()
    panel = panel_of(results(), axes, range(MOMENTS))
    for moment, right in ((0, False), (2, True), (1, False)):
        panel.show(moment)
        assert_texts_are_readable(figure)
        texts = [text.get_text() for text in axes.texts]
        assert texts == (["0", "1"] if right else ["2 (0)", "2 (1)"])
        colours = {to_hex(text.get_color()) for text in axes.texts}
        assert colours == {(style.INK if right else style.VERMILION).lower()}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "→", "0"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["→", "0"]
    mesh = axes.collections[0].get_array().reshape(2, 4)
    np.testing.assert_allclose(mesh, [[1 / 3, 1 / 3, 1 / 3, 0], [0.25] * 4])


def test_the_answers_with_a_mistake_stand_first() -> None:
    figure = layout.empty(attention.HEIGHT)
    attention.draw_attention(results(), figure)
    assert_texts_are_readable(figure)
    assert len(figure.axes) == 5
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert texts[0] == ["2 (1)", "2"]
    assert not any("(" in text for row in texts[1:] for text in row)
    assert figure.texts[0].get_text().startswith("1 of 5 test answers have a mistake")


def test_of_a_diverged_training_there_are_no_maps() -> None:
    figure = layout.empty(attention.HEIGHT)
    attention.draw_attention(results(diverged=True), figure)
    assert not figure.axes


@pytest.mark.parametrize(("attentive", "height"), [(True, attention.HEIGHT), (False, 0)])
def test_only_a_model_with_attention_has_maps(attentive: bool, height: float) -> None:
    assert details_of(results(attentive=attentive)).height == height


def test_without_attention_the_classes_of_all_targets_are_counted() -> None:
    figure = layout.empty(3.5)
    axes = figure.subplots()
    panel = panel_of(results(attentive=False), axes, range(MOMENTS))
    panel.show(2)
    counts = sum(int(text.get_text() or 0) for text in axes.texts)
    assert counts == 10
