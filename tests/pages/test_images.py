import base64
import io
from pathlib import Path

import pytest
from PIL import Image
from repository import ROOT

from stages.figures import layout, style
from stages.pages import images
from stages.pages.images import Picture, animation, figure, image

GIF = ROOT / "plots/moons/learning.gif"


def embedded(source: str) -> bytes:
    return base64.b64decode(source.partition("base64,")[2])


def test_an_image_is_all_of_its_file() -> None:
    path = ROOT / "plots/moons/fit.png"
    found = image(path, "a fit")
    assert found.source.startswith("data:image/png;base64,")
    assert embedded(found.source) == path.read_bytes()
    with Image.open(path) as opened:
        assert (found.width, found.height) == opened.size


def test_of_an_animation_the_last_frame_is_still() -> None:
    found = animation(GIF, "learning")
    assert found.animation is not None
    assert embedded(found.animation) == GIF.read_bytes()
    with Image.open(io.BytesIO(embedded(found.source))) as still, Image.open(GIF) as moving:
        assert still.format == "PNG"
        moving.seek(moving.n_frames - 1)
        assert still.convert("RGB").tobytes() == moving.convert("RGB").tobytes()


def test_a_figure_is_vectors_unless_they_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "figure.png"
    style.save(layout.empty(1), path)
    assert str(figure(layout.empty(1), path, "a figure")).startswith("<svg ")
    monkeypatch.setattr(images, "LARGE", 10)
    large = figure(layout.empty(1), path, "a figure")
    assert isinstance(large, Picture)
    assert large == image(path, "a figure")
