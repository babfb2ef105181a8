from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from graphs import convolutional, residual, transformer
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import network
from pictures import assert_texts_are_readable

from stages.figures import layout, style
from stages.figures.tasks.graph import draw_graph, readable
from stages.figures.tasks.graph_columns import fold
from stages.figures.tasks.graph_layers import Layer, find_layers, inside, operands
from stages.figures.tasks.graph_layout import BOLD, Box, Drawing, Piece, place
from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operations.activations import tanh

EPSILON = 1e-6  # inches


def model_of(loss: Node) -> Layer:
    return find_layers(loss)


def line(piece: Piece) -> np.ndarray:
    """(points, 2): the way of a piece as it is drawn, sampled."""
    (start,), *parts = piece.outline()
    points = [np.array([start])]
    for part in parts:
        t = np.linspace(0, 1, 33)[:, None]
        if len(part) == 1:
            points.append((1 - t) * points[-1][-1] + t * part[0])
        else:
            a, b, c, d = points[-1][-1], *np.array(part)
            points.append(
                (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
            )
    return np.concatenate(points)


def within(points: np.ndarray, x: float, y: float, width: float, height: float) -> np.ndarray:
    """(points,): whether each lies inside a rectangle."""
    from_corner = points - (x, y)
    inner = (from_corner > EPSILON) & (from_corner < np.array((width, height)) - EPSILON)
    return inner.all(axis=1)


def overlap(one: Box, other: Box) -> bool:
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return across > EPSILON and down > EPSILON


def assert_laid_out(model: Layer, drawing: Drawing) -> None:
    """Every node is in one box or frame, none over another, and no arrow passes through one."""
    closed = [box for box in drawing.boxes if not box.is_open]
    shown = [node for box in closed for node in inside(box.part)]
    assert len(shown) == len(set(shown))
    assert set(shown) == set(model.nodes())
    for one, other in combinations(drawing.boxes, 2):
        assert not overlap(one, other) or set(inside(other.part)) < set(inside(one.part))
    for box in drawing.boxes:
        assert -EPSILON <= box.x <= box.x + box.width <= drawing.width + EPSILON
        assert -EPSILON <= box.y <= box.y + box.height <= drawing.height + EPSILON
    lines = [line(piece) for piece in drawing.pieces]
    owner = np.repeat(np.arange(len(lines)), [len(points) for points in lines])
    points = np.concatenate(lines) if lines else np.zeros((0, 2))
    for box in drawing.boxes:
        concerned = {v for node in inside(box.part) for v in (node, *operands(node))}
        through = owner[within(points, box.x, box.y, box.width, box.height)]
        strangers = [n for n in set(through) if drawing.pieces[n].value not in concerned]
        assert not (strangers if box.is_open else through.size)
        if box.is_open:
            (title,) = box.texts()
            width = layout.text_width(title.text, BOLD)
            assert not within(points, title.x, title.y - 0.1, width, 0.12).any()


def assert_joined(model: Layer, drawing: Drawing) -> None:
    """From each box there is a way along the arrows of its value to each that reads it."""
    home = {n: box for box in drawing.boxes if not box.is_open for n in inside(box.part)}
    for value, start in home.items():
        pieces = [piece.points for piece in drawing.pieces if piece.value is value]
        bottom = start.y + start.height
        reached = [
            (x, y)
            for (x, y), *_ in pieces
            if start.x < x < start.x + start.width and abs(y - bottom) < EPSILON
        ]
        for begin in reached:  # which grows
            ends = [points[-1] for points in pieces if np.allclose(points[0], begin)]
            reached.extend(end for end in ends if end not in reached)
        for node in model.nodes():
            end = home[node]
            if value in operands(node) and end is not start:
                assert any(
                    abs(y - end.y) < EPSILON and end.x <= x <= end.x + end.width for x, y in reached
                ), f"{value} does not reach {node}"


LOSSES = {
    "line": network((1, 1), "relu", "half_mse").loss,
    "classifier": network((2, 10, 2), "relu", "cross_entropy").loss,
    "deep": network((4, *[8] * 9, 3), "relu", "cross_entropy").loss,
    "residual": residual(4),
    "convolutional": convolutional(),
    "transformer": transformer(),
    "blocks": transformer(blocks=2),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@every_loss
@pytest.mark.parametrize("opened", ["no", "some", "all"])
def test_a_network_is_laid_out(loss: Node, opened: str) -> None:
    model = model_of(loss)
    some = {"no": 0, "some": 2, "all": 1}[opened]
    chosen = [layer for i, layer in enumerate(model.layers()) if some and not i % some]
    drawing = place(model, chosen)
    assert_laid_out(model, drawing)
    assert_joined(model, drawing)
    for piece in drawing.pieces:
        assert (np.diff(line(piece)[:, 1]) >= -EPSILON).all()  # downwards
    folded = fold(drawing, 2.5 * drawing.width)
    assert_laid_out(model, folded)
    assert_joined(model, folded)


operand = st.integers(0, 99)
name = st.sampled_from(["", "a.", "a.b.", "a.c.", "b.", "b.0.", "b.1."])


@settings(max_examples=60)
@given(
    st.lists(st.tuples(operand, operand), min_size=1, max_size=30),
    st.lists(name, max_size=6),
    st.sets(st.integers(0, 9)),
)
def test_any_graph_is_laid_out(
    operands: list[tuple[int, int]], names: list[str], opened: set[int]
) -> None:
    graph = Graph()
    nodes = [graph.input("x", ("samples", 2)), graph.constant(2.0)]
    nodes += [graph.parameter(f"{prefix}{number}", (2,)) for number, prefix in enumerate(names)]
    for left, right in operands:
        one, other = nodes[left % len(nodes)], nodes[right % len(nodes)]
        nodes.append(tanh(one) if left == right else one + other)
    model = model_of(nodes[-1])
    layers = [layer for i, layer in enumerate(model.layers()) if i in opened]
    drawing = place(model, layers)
    assert_laid_out(model, drawing)
    assert_joined(model, drawing)
    folded = fold(drawing, 2.5 * drawing.width)
    assert_laid_out(model, folded)
    assert_joined(model, folded)


def test_the_samples_go_straight_down_and_parameters_stand_beside() -> None:
    drawing = place(model := model_of(LOSSES["classifier"]), list(model.layers()))
    by_name = {box.title: box for box in drawing.boxes}
    way = ["x", "matmul", "add", "relu", "cross entropy"]
    middles = [by_name[name].x + by_name[name].width / 2 for name in way]
    assert np.ptp(middles) < 0.01
    for name in ("weight", "bias", "target"):
        assert by_name[name].x > middles[0]


def test_a_long_drawing_is_folded_to_the_width_of_the_page() -> None:
    for name in ("classifier", "deep", "residual"):
        _, drawing, scale = readable(model_of(LOSSES[name]))
        assert drawing.height < 9
        assert drawing.width * scale <= style.WIDTH
    assert len(fold(drawing, drawing.width).boxes) == len(drawing.boxes)


@every_loss
def test_the_picture_can_be_read(loss: Node) -> None:
    figure = draw_graph(loss)
    assert_texts_are_readable(figure)
    texts = [text for axes in figure.axes for text in axes.texts]
    assert min(float(text.get_fontsize()) for text in texts) >= 7


def test_the_picture_says_every_name_and_shape() -> None:
    figure = draw_graph(LOSSES["classifier"])
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    names = {"x", "target", "layer 0", "layer 2", "weight", "bias", "matmul", "add", "relu"}
    shapes = {"samples × 2", "samples × 10", "10 × 2", "2 × 10", "10", "2", "scalar"}
    kinds = {"input", "parameter", "operation", "loss"}
    assert names | shapes | kinds | {"52 parameters, float64"} <= texts
    assert "layer" not in texts  # none is closed


def test_a_graph_is_drawn_as_it_is_trained() -> None:
    model = model_of(convolutional())
    titles = [box.title for box in place(model, []).boxes]
    assert "choose" not in titles
    assert titles.count("max pool2d") == 2
    assert {node.name for node in model.nodes() if node.operation == "input"} == {
        *("x", "8", "target")  # the mask of the layer that drops out
    }
    assert not any(node.operation == "state" for node in model.nodes())


def test_layers_of_a_large_graph_are_closed() -> None:
    figure = draw_graph(LOSSES["deep"])
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert {"layer 18", "3 operations, 72 parameters", "layer"} <= texts
    assert "matmul" not in texts


def test_a_value_that_is_used_twice_is_drawn_once_with_an_arrow_for_each_use() -> None:
    graph = Graph()
    y = tanh(graph.input("x", ("samples", 2)))
    drawing = place(model := model_of((y * y).sum()), [])
    assert [box.title for box in drawing.boxes] == ["x", "tanh", "multiply", "sum"]
    ends = [piece.points[-1] for piece in drawing.pieces if piece.value is y]
    assert len(set(ends)) == 2
    assert_joined(model, drawing)


def test_the_same_graph_is_the_same_picture(tmp_path: Path) -> None:
    for file in ("one.png", "other.png"):
        style.save(draw_graph(residual(2)), tmp_path / file)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
