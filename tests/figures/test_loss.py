import math

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import drawn as laid_out

from stages.figures.loss import draw_losses

HISTORY = {
    "epoch": [0.0, 1.0, 2.0],
    "step": [0.0, 10.0, 20.0],
    "train_loss": [1.0, 0.5, 0.25],
    "test_loss": [1.1, 0.6, 0.3],
}
DIVERGED = HISTORY | {"train_loss": [1.0, 1e200, math.nan], "test_loss": [1.1, math.nan, math.nan]}


def drawn(numpy: dict[str, list[float]], differences: list[float], dtype: str) -> Figure:
    twins = {"numpy": numpy, "torch": HISTORY}
    apart = np.array(differences)
    return laid_out(draw_losses(twins, HISTORY["epoch"], apart, dtype, "difference"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_twins_are_drawn_and_the_resolution_of_the_dtype(dtype: str) -> None:
    above, below = drawn(HISTORY, [0.0, 1e-16, 3e-15], dtype).axes
    assert [line.get_label() for line in above.lines] == [
        *["NumPy train", "PyTorch train", "NumPy test", "PyTorch test"]
    ]
    assert f"{dtype}\nresolution" in [text.get_text() for text in below.texts]
    assert below.get_ylabel() == "difference"


def test_no_difference_is_a_line_of_its_own_below_all_others() -> None:
    _, below = drawn(HISTORY, [0.0, 1e-16, 3e-15], "float64").axes
    *_, shown = below.lines
    assert shown.get_ydata()[0] < 1e-16 / 5
    assert list(shown.get_ydata()[1:]) == [1e-16, 3e-15]


@pytest.mark.parametrize("differences", [[0.0, 0.0, 0.0], [0.0, 1e-3, math.nan], [math.nan] * 3])
def test_a_training_that_diverges_is_drawn_as_far_as_it_goes(differences: list[float]) -> None:
    above, _ = drawn(DIVERGED, differences, "float64").axes
    assert len(above.lines) == 4
