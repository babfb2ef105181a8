import re
from xml.etree import ElementTree

import pytest
from graphs import transformer
from networks import network

from stages.figures.tasks.graph_layers import find_layers
from stages.figures.tasks.graph_svg import CHOICES, graph_svg
from stages.graph.graph import Graph
from stages.graph.node import Node

LOSSES = {
    "moons": network((2, 16, 16, 2), "tanh", "cross_entropy").loss,
    "deep": network((4, *[8] * 9, 3), "relu", "cross_entropy").loss,
    "transformer": transformer(),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


SVG = "{http://www.w3.org/2000/svg}"


def drawings(loss: Node) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(graph_svg(loss, "task")))


def opened(drawing: ElementTree.Element) -> list[str]:
    return drawing.attrib["data-open"].split()


@every_loss
def test_each_choice_of_layers_is_there_and_one_drawing_is_shown(loss: Node) -> None:
    paths = [layer.path for layer in find_layers(loss).layers()]
    found = drawings(loss)
    kinds = [(each.attrib["data-open"], each.attrib["class"]) for each in found]
    assert len(set(kinds)) == len(kinds)
    wide = [opened(each) for each in found if each.attrib["class"] != "narrow"]
    assert [] in wide
    assert paths in wide
    for path in paths:  # with the layers around it open, and nothing else
        assert [p for p in paths if path == p or path.startswith(f"{p}.")] in wide
    (shown,) = (each for each in found if "display" not in each.attrib)
    whole = ElementTree.fromstring(graph_svg(loss, "task"))
    assert whole.attrib["viewBox"] == shown.attrib["viewBox"]


def test_of_few_layers_all_choices_are_drawn() -> None:
    choices = {each.attrib["data-open"] for each in drawings(LOSSES["moons"])}
    assert len(choices) == 2**3 == CHOICES


@every_loss
def test_a_drawing_has_open_layers_to_close_and_closed_ones_to_open(loss: Node) -> None:
    for svg in drawings(loss):
        groups = [each for each in svg.iter(f"{SVG}g") if "data-layer" in each.attrib]
        layers = {g.attrib["data-layer"]: "open" in g.attrib["class"] for g in groups}
        assert [path for path, is_open in layers.items() if is_open] == opened(svg)
        assert len(layers) == len(groups)


def test_a_long_drawing_has_columns_and_one_column_for_narrow_windows() -> None:
    found = drawings(LOSSES["deep"])
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert (one.attrib["class"], other.attrib["class"]) == ("wide", "narrow")
        assert opened(one) == opened(other)
        assert int(one.attrib["width"]) > int(other.attrib["width"])
        assert int(one.attrib["height"]) < int(other.attrib["height"])


def test_names_are_escaped() -> None:
    graph = Graph()
    x = graph.input("<b> & c", ("samples", 2))
    (*_, last) = drawings((x * graph.parameter('"a".w', (2,))).sum())
    assert "<b> & c" in [text.text for text in last.iter(f"{SVG}text")]
    assert '"a"' in [each.attrib.get("data-layer") for each in last]


def test_the_same_graph_is_the_same_text_in_whole_pixels() -> None:
    svg = graph_svg(transformer(), "task")
    assert svg == graph_svg(transformer(), "task")
    assert not re.search(r' (d|x|y)="[^"]*\.', svg)
