import pytest
from graphs import linear, residual, transformer
from networks import network

from stages.figures.tasks.graph_layers import Layer, find_layers
from stages.graph.graph import Graph
from stages.graph.node import Node
from stages.graph.operation import SAMPLES
from stages.graph.operations.activations import tanh


def layers_of(loss: Node) -> Layer:
    return find_layers(loss)


def named(layer: Layer) -> list[object]:
    """The names of its parts, those of a layer in a list behind its path."""
    return [
        [part.path, *named(part)] if isinstance(part, Layer) else part.name or part.operation
        for part in layer.parts
    ]


def test_a_layer_is_its_parameters_and_what_they_join() -> None:
    assert named(layers_of(network((2, 10, 2), "relu", "cross_entropy").loss)) == [
        "x",
        ["0", "0.weight", "0.bias", "transpose", "matmul", "add"],
        "relu",
        ["2", "2.weight", "2.bias", "transpose", "matmul", "add"],
        "target",
        "cross_entropy",
    ]


def test_layers_have_layers_and_what_lies_between_them() -> None:
    (attention,) = (
        part
        for block in layers_of(transformer(blocks=2)).parts
        if isinstance(block, Layer) and block.path == "blocks"
        for part in block.parts
        if isinstance(part, Layer)
        for part in part.parts
        if isinstance(part, Layer) and part.path == "blocks.0.attention"
    )
    inner = [part.name for part in attention.parts if isinstance(part, Layer)]
    assert inner == ["query", "key", "value", "out"]
    between = [part.operation for part in attention.parts if isinstance(part, Node)]
    assert between[:4] == ["transpose", "matmul", "constant", "multiply"]
    assert between[4:] == ["log_softmax", "exp", "matmul"]


def test_names_of_one_layer_alone_are_one_name() -> None:
    model = layers_of(transformer(blocks=1))
    names = [part.name for part in model.parts if isinstance(part, Layer)]
    assert names == ["position", "blocks.0", "head"]
    assert [layer.title for layer in layers_of(residual(2)).parts if isinstance(layer, Layer)] == [
        "layer 0",
        "layer 1",
    ]


def test_of_a_layer_that_is_used_twice_the_second_use_stands_alone() -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 3))
    weight = graph.parameter("embedding.weight", (3, 3))
    loss = (linear(x @ weight, "middle", 3, 3) @ weight.T).sum()
    assert named(layers_of(loss)) == [
        "x",
        ["embedding", "embedding.weight", "matmul", "transpose"],
        ["middle", "middle.weight", "transpose", "matmul", "middle.bias", "add"],
        "matmul",
        "sum",
    ]


def test_a_layer_that_is_used_again_and_again_is_one() -> None:
    graph = Graph()
    x = graph.input("x", (SAMPLES, 3))
    weight = graph.parameter("cell.weight", (3, 3))
    state = x
    for _ in range(3):
        state = tanh(x + state @ weight)
    (cell,) = (part for part in layers_of(state.sum()).parts if isinstance(part, Layer))
    operations = [node.operation for node in cell.nodes()]
    assert operations.count("matmul") == 3
    assert operations.count("tanh") == 2  # the last one is after the layer


@pytest.mark.parametrize("names", [("weight", "bias"), ("a", "b")])
def test_names_without_a_dot_are_in_no_layer(names: tuple[str, str]) -> None:
    graph = Graph()
    one, other = (graph.parameter(name, (2,)) for name in names)
    assert named(layers_of((one * other).sum())) == [*names, "multiply", "sum"]
