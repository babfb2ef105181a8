import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from stages.figures import layout, style
from stages.figures.svg import THEME, inline

CSS = (Path(__file__).parents[2] / "stages/pages/page.css").read_text()


def drawn(text: str = "0.00314 at lr 1.8·10⁻⁴") -> Figure:
    figure = layout.empty(2)
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0.1234567, 2, 1], "o-", color=style.BLUE, alpha=0.25)
    axes.plot([0, 1], [1, 0], color="#123456")
    axes.pcolormesh([0, 1, 2], [0, 1], [[1, 2]])
    axes.text(0.5, 0.5, text, color=style.GREY)
    return figure


def attributes(svg: str, name: str) -> list[str]:
    return re.findall(f' {name}="([^"]*)"', svg)


def test_the_same_figure_is_the_same_text_without_a_date() -> None:
    assert inline(drawn(), "a", "label") == inline(drawn(), "a", "label")
    assert "metadata" not in inline(drawn(), "a", "label")


def test_it_is_one_element_that_scales_and_has_a_name() -> None:
    svg = ElementTree.fromstring(inline(drawn(), "a", 'how <b> & "why"'))
    assert svg.tag == "svg"
    assert svg.attrib == {"viewBox": "0 0 576 144", "role": "img", "aria-label": 'how <b> & "why"'}
    assert "style" not in {
        element.tag for element in svg.iter()
    }  # it would apply to the whole page


@pytest.mark.parametrize("text", ["0.00314 at lr 1.8·10⁻⁴", "<b> & 'DejaVu Sans': #262626", "a  b"])
def test_text_stays_text_as_it_is(text: str) -> None:
    svg = ElementTree.fromstring(inline(drawn(text), "a", "label"))
    assert text in [element.text for element in svg.iter("text")]


def test_two_figures_share_no_id_and_what_is_referred_to_is_there() -> None:
    one, other = inline(drawn(), "one", "label"), inline(drawn(), "other", "label")
    ids = attributes(one, "id")
    assert ids
    assert set(ids).isdisjoint(attributes(other, "id"))
    assert {link[1:] for link in attributes(one, "href")} <= set(ids)
    assert {link[5:-1] for link in attributes(one, "clip-path")} <= set(ids)


def test_the_theme_gives_the_colours() -> None:
    svg = inline(drawn(), "a", "label")
    for variable in ("ink", "grey", "faint", "grid", "blue", "paper"):
        assert f"var(--{variable})" in svg
    assert "#123456" in svg  # every other colour stays
    assert not [colour for colour in THEME if colour in svg]
    assert "opacity: 0.25" in svg
    for variable in THEME.values():
        assert f"--{variable}: " in CSS


def test_places_are_rounded_to_what_can_be_seen() -> None:
    svg = inline(drawn(), "a", "label")
    for place in attributes(svg, "d") + attributes(svg, "x"):
        assert not re.search(r"\.\d\d", place)
