from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import FancyArrowPatch
from networks import network

from stages.figures import style
from stages.figures.tasks.graph import draw_graph
from stages.figures.tasks.graph_layout import COLUMNS, HEIGHT, WIDTH, Box, layers, place
from stages.graph.compile import needed
from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operations.elementwise import tanh


def overlap(one: Box, other: Box) -> bool:
    return abs(one.x - other.x) < WIDTH and abs(one.y - other.y) < HEIGHT


def everything(last: Node) -> list[Node]:
    return needed(last.graph.nodes, [last])


def assert_laid_out(last: Node) -> None:
    nodes = everything(last)
    boxes, height = place(nodes)
    assert {box.node for box in boxes} == set(nodes)
    assert len(boxes) == len(nodes)
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    for box in boxes:
        assert WIDTH / 2 <= box.x <= style.WIDTH - WIDTH / 2
        assert HEIGHT / 2 <= box.y <= height - HEIGHT / 2


SIZES = [(1, 1), (2, 10, 2), (2, 16, 16, 2), (4, *[8] * 9, 3)]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("loss", ["half_mse", "cross_entropy"])
def test_every_node_of_a_network_has_a_place_of_its_own(sizes: tuple[int, ...], loss: str) -> None:
    assert_laid_out(network(sizes, "relu", loss).loss)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_samples_pass_from_left_to_right_and_no_row_is_too_long(sizes: tuple[int, ...]) -> None:
    boxes, _ = place(everything(network(sizes, "relu", "half_mse").loss))
    way = sorted((box for box in boxes if box.level == 0), key=lambda box: box.column)
    assert [way[0].node.name, way[-1].node.operation] == ["x", "half_mse"]
    for before, after in pairwise(way):
        assert after.x > before.x if after.row == before.row else after.y < before.y
    rows = [box.row for box in way]
    assert max(rows.count(row) for row in rows) <= COLUMNS


def test_parameters_stand_above_the_operation_that_they_join() -> None:
    boxes, _ = place(everything(network((2, 10, 2), "relu", "cross_entropy").loss))
    by_node = {box.node: box for box in boxes}
    for box in boxes:
        for operand in box.node.inputs:
            above = by_node[operand]
            if above.level > 0:
                assert above.x == box.x
                assert above.y > box.y


def test_a_layer_is_its_parameters_and_what_they_join_in_one_row() -> None:
    boxes, _ = place(everything(network((2, 16, 16, 2), "tanh", "cross_entropy").loss))
    found = layers(boxes)
    assert len(found) == 3
    for index, layer in enumerate(found):
        names = {box.node.name or box.node.operation for box in layer}
        assert {f"{2 * index}.weight", f"{2 * index}.bias", "matmul", "add"} <= names
        assert len({box.row for box in layer}) == 1


def test_the_picture_says_every_name_and_shape() -> None:
    loss = network((2, 10, 2), "relu", "cross_entropy").loss
    figure = draw_graph(loss)
    (axes,) = figure.axes
    texts = {text.get_text() for text in axes.texts}
    names = ["x", "target", "0.weight", "0.bias", "2.weight", "2.bias", "matmul", "add", "relu"]
    shapes = ["samples × 2", "samples × 10", "10 × 2", "2 × 10", "10", "2", "scalar"]
    assert {*names, *shapes, "52 parameters, float64"} <= texts
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == sum(len(node.inputs) for node in everything(loss))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=25))
def test_any_graph_is_laid_out(operands: list[tuple[int, int]]) -> None:
    graph = Graph()
    nodes = [graph.input("x", ("samples", 2)), graph.parameter("0.weight", (2,))]
    nodes.append(graph.constant(2.0))
    for left, right in operands:
        one, other = nodes[left % len(nodes)], nodes[right % len(nodes)]
        nodes.append(tanh(one) if left == right else one + other)
    assert_laid_out(nodes[-1])


def test_a_value_that_is_used_twice_is_drawn_once() -> None:
    graph = Graph()
    x = graph.input("x", ("samples", 2))
    y = tanh(x)
    total = (y * x + y).sum()
    assert_laid_out(total)
    draw_graph(total)
