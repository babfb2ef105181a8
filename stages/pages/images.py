"""The pictures of a page, in the page itself."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image

from stages.figures.checks.drift import draw_drift
from stages.figures.loss import draw_losses
from stages.figures.svg import inline
from stages.figures.sweeps.heatmap import draw_heatmaps
from stages.figures.sweeps.settings import read_sweep
from stages.figures.sweeps.sweep_losses import draw_sweep
from stages.proofs.difference import relative_difference
from stages.task.files import LOSSES, TWINS, Files, read_history, reading

SVG = "http://www.w3.org/2000/svg"
SCROLLS = 0.75  # the scale below which a graph scrolls and does not become smaller
LARGE = 150_000  # characters of SVG: a larger figure is embedded in pixels


@dataclass(frozen=True)
class Picture:
    """An image as a data URL, its size in pixels, and what it shows in words.

    animation: the same in motion, None for a still picture
    """

    source: str
    width: int
    height: int
    label: str
    animation: str | None = None


def image(path: Path, label: str) -> Picture:
    """The image in a file."""
    with reading(path), Image.open(io.BytesIO(content := path.read_bytes())) as opened:
        return Picture(_embedded(content, str(opened.format)), *opened.size, label)


def animation(path: Path, label: str) -> Picture:
    """The last frame of the animation in a file, and the animation."""
    still = io.BytesIO()
    with reading(path), Image.open(io.BytesIO(moving := path.read_bytes())) as opened:
        opened.seek(getattr(opened, "n_frames", 1) - 1)
        opened.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(still, "PNG")
        embedded = _embedded(still.getvalue(), "PNG")
        return Picture(embedded, *opened.size, label, _embedded(moving, str(opened.format)))


def _embedded(content: bytes, kind: str) -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"


def figure(drawn: Figure, file: Path, label: str) -> Picture | Markup:
    """A figure as SVG; where that would be large, the file with its pixels."""
    vectors = _vectors(drawn, file.with_suffix("").as_posix(), label)
    return vectors if len(vectors) <= LARGE else image(file, label)


def _vectors(drawn: Figure, name: str, label: str) -> Markup:
    # This is safe as Markup: matplotlib escapes all text in it.
    return Markup(inline(drawn, name, label))


def graph(path: Path) -> Markup:
    """The drawings of a computation graph, see stages/figures/tasks/graph_svg.py.

    Each choice of open layers is a <div>, whose data-open has their paths; all but one are hidden.
    """
    ElementTree.register_namespace("", SVG)
    with reading(path):
        drawings = ElementTree.fromstring(path.read_bytes()).findall(f"{{{SVG}}}svg")
        if not drawings:
            raise ValueError("it has no drawing")
    parts = []
    for opened in dict.fromkeys(drawing.attrib["data-open"] for drawing in drawings):
        same = [drawing for drawing in drawings if drawing.attrib["data-open"] == opened]
        hidden = Markup(" hidden") if all("display" in drawing.attrib for drawing in same) else ""
        for drawing in same:
            drawing.attrib.pop("display", None)
            width = int(drawing.attrib["width"])
            drawing.attrib["style"] = f"width: {width}px; min-width: {SCROLLS * width:.0f}px"
        shown = Markup("").join(Markup(ElementTree.tostring(d, "unicode")) for d in same)
        parts.append(Markup('<div data-open="{}"{}>{}</div>\n').format(opened, hidden, shown))
    return Markup('<div class="graph">{}</div>').format(Markup("").join(parts))


def losses(task: str, dtype: str) -> Picture | Markup:
    """The losses of both twins, and how far apart they are."""
    files = Files(task)
    histories = {twin: read_history(files.history[twin], *LOSSES) for twin in TWINS}
    epochs, ours, theirs = (
        histories["numpy"]["epoch"],
        *(np.array(histories[twin]["train_loss"])[:, None] for twin in TWINS),
    )
    # A twin that diverges has fewer epochs.
    differences = np.array([relative_difference(*pair) for pair in zip(ours, theirs, strict=False)])
    measure = "relative difference\nof the train loss"
    drawn = draw_losses(histories, epochs[: len(differences)], differences, dtype, measure)
    label = f"Train and test loss of both twins by epoch in {task}, and their relative difference"
    return figure(drawn, files.plots / "loss.png", label)


def drift(path: Path) -> Picture | Markup:
    """How far the twins drift apart, from the file at `path`."""
    label = "The relative difference of the parameters by step, a line for each optimizer"
    return figure(draw_drift(read_history(path, "step")), path.with_suffix(".png"), label)


def sweeps(task: str) -> list[Picture | Markup]:
    """The losses of a sweep by learning rate, and by two hyperparameters where two differ.

    Where the figures would be large, they are one, in pixels.
    """
    files = Files(task)
    sweep, file = read_sweep(files.curves), files.plots / "sweep.png"
    label = f"Loss at the end by learning rate in {task}, a panel for each optimizer"
    vectors = [_vectors(draw_sweep(sweep), f"{task}/curves", label)]
    if (maps := draw_heatmaps(sweep)) is not None:
        below = f"Median loss by two hyperparameters in {task}, as colours"
        vectors.append(_vectors(maps, f"{task}/maps", below))
        label = f"{label}, and by two hyperparameters"
    if max(map(len, vectors)) > LARGE:
        return [image(file, label)]
    return [*vectors]
