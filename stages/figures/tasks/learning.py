"""learning.gif and learning.png: the training as it happens, and six moments of it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from stages.figures import layout, style
from stages.figures.numbers import written
from stages.figures.tasks.animation import write_gif
from stages.figures.tasks.learned import Results, thinned
from stages.figures.tasks.panels import panel_of
from stages.task.table import Table

WIDTH, HEIGHT, DPI = 5.0, 4.0, 100  # inches, and pixels in one
LOOP, SLOWEST, PAUSE = 6000, 150, 2500  # milliseconds: all frames, one at most, the last one


def write_animation(results: Results, path: Path) -> None:
    """Writes learning.gif: a frame for each snapshot."""
    moments = range(len(results.steps))
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI)
    canvas: Any = FigureCanvasAgg(figure)  # has no types
    axes = figure.subplots()
    panel = panel_of(results, axes, moments)
    left, bottom = panel.left / WIDTH, panel.bottom / HEIGHT
    figure.subplots_adjust(left=left, right=0.975, bottom=bottom, top=0.91)
    for artist in panel.moving:
        artist.set_animated(True)
    canvas.draw()  # what does not move, once
    still = canvas.copy_from_bbox(figure.bbox)
    renderer = canvas.get_renderer()
    parts = ["train", "test"] if len(results.test.target) else ["train"]
    captions = _captions(results, moments, *parts)
    # Pillow takes a tenth of matplotlib's time to write the few words that change.
    file = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    font = ImageFont.truetype(file, 14, layout_engine=ImageFont.Layout.BASIC)
    frames = []
    for index in moments:
        canvas.restore_region(still)
        panel.show(index)
        for artist in panel.moving:
            artist.draw(renderer)
        image = Image.fromarray(np.asarray(canvas.buffer_rgba()))
        for x, text in zip((70, 175, 335), captions[index], strict=False):
            ImageDraw.Draw(image).text((x, 11), text, style.INK, font)
        frames.append(np.asarray(image))
    write_gif(path, frames, min(LOOP // len(frames), SLOWEST), PAUSE)


def draw_moments(results: Results) -> Figure:
    """Six moments in a strip, closer together at the start, where most is learned."""
    last = len(results.steps) - 1
    moments = sorted({0, *np.geomspace(1, last, 5).round().astype(int).tolist()} if last else {0})
    figure = layout.empty(2.0)
    row = figure.subplots(1, len(moments), squeeze=False)[0]
    captions = _captions(results, moments, "train")
    key: dict[object, Artist] = {}
    for axes, moment, caption in zip(row, moments, captions, strict=True):
        panel = panel_of(results, axes, [moment])
        panel.show(0)
        key |= {artist.get_label(): artist for artist in panel.key}
        axes.grid(False)
        above: dict[str, Any] = {"ha": "center", "va": "bottom", "transform": axes.transAxes}
        axes.text(0.5, 1.04, "\n".join(caption), fontsize=8, linespacing=1.25, **above)
        if axes is not row[0]:  # all have the same axes
            axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
    left = panel.left / style.WIDTH
    rows = layout.legend_above(figure, [*key.values()], left) if key else 0
    head = 0.45 + 0.21 * rows
    height = panel.bottom + 1.15 + head
    figure.set_figheight(height)
    bottom, top = panel.bottom / height, 1 - head / height
    figure.subplots_adjust(left=left, right=0.995, bottom=bottom, top=top, wspace=0.08)
    return figure


def _captions(results: Results, moments: Sequence[int], *parts: str) -> list[tuple[str, ...]]:
    """For each moment: the step, and how good the NumPy twin is on some parts of the samples."""
    quality = [_quality(results, part, moments) for part in parts]
    steps = [f"step {results.steps[moment]}" for moment in moments]
    captions = [tuple(dict.fromkeys(texts)) for texts in zip(steps, *quality, strict=True)]
    if results.diverged:  # perhaps after the last snapshot
        captions[-1] = (steps[-1], results.diverged.splitlines()[0])
    return captions


def _quality(results: Results, part: str, moments: Sequence[int]) -> list[str]:
    """At each moment the text "train loss 1.15", or that the training has diverged."""
    table: Table = getattr(results, part)
    samples = thinned(table, 4000)
    sign = " " if len(samples.target) == len(table.target) else " ≈ "
    outputs = results.twins["numpy"].outputs(samples.features, moments)
    if table.classes is None:
        with np.errstate(over="ignore"):
            values = ((outputs[..., 0] - samples.target) ** 2).mean(axis=1) / 2
        texts = [f"{part} loss{sign}{_short(value)}" for value in values]
    else:
        right = outputs.argmax(axis=-1) == samples.target
        values = right.reshape(*right.shape[:2], -1).all(axis=-1).mean(axis=1)
        texts = [f"{part} accuracy{sign}{value:.2f}" for value in values]
    return [
        text if np.isfinite(values).all() else "diverged"
        for text, values in zip(texts, outputs, strict=True)
    ]


def _short(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    return f"{value:.0f}" if 100 <= value < 1e6 else written(value, 3)
