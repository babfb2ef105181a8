"""The plots that changed, and the curves in one picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from stages.figures import style
from stages.review.plots import ChangedPlot, changed_plots, curves, draw_curves
from stages.review.revision import Plot


def table(text: str, x: str | None = "step", *y: str) -> Plot:
    return Plot(text.encode(), x, y or ("loss",))


def test_what_changed_is_another_content() -> None:
    same, one, two = table("a"), table("b"), table("c")
    other_axes = table("a", "epoch")
    old = {"same.csv": same, "axes.csv": same, "gone.png": one, "changed.gif": one}
    new = {"same.csv": same, "axes.csv": other_axes, "new.csv": one, "changed.gif": two}
    changed = changed_plots(old, new)
    assert [(plot.path, plot.old, plot.new) for plot in changed] == [
        ("new.csv", None, one),
        ("changed.gif", one, two),
        ("gone.png", one, None),
    ]
    assert [plot.is_picture for plot in changed] == [False, True, True]


def test_curves_are_the_columns_that_dvc_draws() -> None:
    plot = table("step,loss,accuracy\n0,4,0.5\n1,,0.25\n", "step", "accuracy", "loss")
    found = curves(plot)
    assert found is not None
    x, ys = found
    assert x == [0, 1]
    assert list(ys) == ["accuracy", "loss"]
    np.testing.assert_equal(ys, {"accuracy": [0.5, 0.25], "loss": [4, np.nan]})


@pytest.mark.parametrize(
    "plot",
    [
        None,
        Plot(b"step,loss\n0,1", None, ()),
        Plot(b"step,loss\n0,1", "step", ()),
        table("step,other\n0,1"),
        table("step,loss\n0,low"),
        Plot(b"\x89PNG", "step", ("loss",)),
    ],
)
def test_other_plots_have_none(plot: Plot | None) -> None:
    assert curves(plot) is None


@pytest.mark.parametrize("values", ["4 2 1", "0 -1 -2", "inf 1 1e300"])
def test_both_curves_are_drawn(tmp_path: Path, values: str) -> None:
    rows = "\n".join(f"{step},{value}" for step, value in enumerate(values.split()))
    old, new = table("step,loss\n0,3\n1,3\n2,3"), table(f"step,loss\n{rows}")
    both, alone = tmp_path / "both.png", tmp_path / "alone.png"
    draw_curves(ChangedPlot("curve.csv", old, new), both)
    draw_curves(ChangedPlot("curve.csv", None, new), alone)
    assert (before_pixels(both) > 1000, before_pixels(alone)) == (True, 0)


def test_names_are_no_formulas(tmp_path: Path) -> None:
    plot = table("$step$,$\\loss$\n0,1\n1,2", "$step$", "$\\loss$")
    draw_curves(ChangedPlot("$\\curve$.csv", plot, plot), tmp_path / "a.png")
    assert before_pixels(tmp_path / "a.png") > 0


def before_pixels(path: Path) -> int:
    """How many pixels have the colour of the curve before."""
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return int((pixels == ImageColor.getrgb(style.SKY)).all(axis=-1).sum())


def test_values_below_zero_are_seen(tmp_path: Path) -> None:
    pictures = []
    for last in (-2, -3):
        draw_curves(
            ChangedPlot("curve.csv", None, table(f"step,loss\n0,1\n1,{last}")), tmp_path / "a.png"
        )
        pictures.append((tmp_path / "a.png").read_bytes())
    assert pictures[0] != pictures[1]
