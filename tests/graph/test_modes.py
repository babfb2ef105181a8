"""Formulas with a state, compiled to train and to evaluate."""

import numpy as np
import pytest

from stages.graph import SAMPLES, Graph, Node, Tiles, batch_norm, choose, exp
from stages.graph.program import Program


def averaged(graph: Graph) -> Node:
    """w·x less the mean of a batch in training, less the running mean in evaluation."""
    x, w = graph.input("x", (SAMPLES, 2)), graph.parameter("w", (2,))
    running = graph.state("running", (2,), 1.0)
    mean = (w * x).mean(0)
    return choose(w * x - mean, exp(w * x) - running, {running: 0.75 * running + 0.25 * mean})


def execute(program: Program, x: np.ndarray) -> None:
    program.feed(x=x)
    program.forward()


X = np.array([[[1.0, 2.0], [3.0, 8.0]]])


def test_a_training_computes_and_changes_what_an_evaluation_reads() -> None:
    graph = Graph(runs=2)
    y = averaged(graph)
    training = graph.compile(y, samples=2, shared_inputs=True, training=True)
    evaluation = graph.compile(y, samples=2, shared_inputs=True)
    graph.parameters[:] = [[1.0, 1.0], [1.0, 2.0]]
    execute(evaluation, X)
    np.testing.assert_array_equal(evaluation.outputs[0][0], np.exp(X[0]) - 1)
    execute(training, X)
    np.testing.assert_array_equal(training.outputs[0][0], X[0] - [2, 5])
    np.testing.assert_array_equal(training.outputs[0][1], (X[0] - [2, 5]) * [1, 2])
    np.testing.assert_array_equal(graph.states["running"], [[1.25, 2.0], [1.25, 3.25]])
    execute(evaluation, X)
    np.testing.assert_array_equal(graph.states["running"], [[1.25, 2.0], [1.25, 3.25]])
    np.testing.assert_array_equal(evaluation.outputs[0][0], np.exp(X[0]) - [1.25, 2.0])
    training.forward()
    np.testing.assert_array_equal(graph.states["running"][0], [1.4375, 2.75])


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_the_side_that_is_computed(training: bool) -> None:
    graph = Graph()
    y = averaged(graph)
    program = graph.compile((y * y).sum(), samples=2, differentiate=True, training=training)
    graph.parameters[:] = [[0.5, 0.25]]
    program.feed(x=X)
    program.gradients()
    w, x = graph.parameters[0], X[0]
    spread, running = x - x.mean(0), 1.0
    expected = 2 * w * (spread**2).sum(0)
    if not training:
        expected = (2 * (np.exp(w * x) - running) * np.exp(w * x) * x).sum(0)
    np.testing.assert_allclose(graph.gradients[0], expected, rtol=1e-14)
    assert (graph.states["running"] != 1).any() == training


def test_a_side_that_is_not_computed_needs_no_inputs() -> None:
    graph = Graph()
    x, mask = graph.input("x", (SAMPLES,)), graph.input("mask", (SAMPLES,))
    program = graph.compile(choose(x * mask, x).sum(), samples=3)
    program.feed(x=np.array([[1.0, 2.0, 4.0]]))
    program.forward()
    assert program.outputs[0].item() == 7


def test_every_new_value_comes_from_the_old_ones() -> None:
    graph = Graph()
    x = graph.input("x", ())
    a, b = graph.state("a", (), 1.0), graph.state("b", (), 2.0)
    program = graph.compile(choose(x, x, {a: a + b, b: a * b}), training=True)
    for expected in ([3, 2], [5, 6], [11, 30]):
        execute(program, np.zeros(1))
        assert [state.item() for state in graph.states.values()] == expected


def test_what_cannot_be_chosen_is_refused() -> None:
    graph = Graph()
    x, state = graph.input("x", (3,)), graph.state("s", (3,))
    with pytest.raises(ValueError, match=r"^choose: both must have the same shape, got \(3\) and "):
        choose(x, x.sum())
    with pytest.raises(ValueError, match=r"^choose: s\[3\] cannot become sum\[\]"):
        choose(x, x, {state: x.sum()})
    with pytest.raises(ValueError, match=r"^choose: x\[3\] cannot become s\[3\]"):
        choose(x, x, {x: state})
    y = choose(x + state, x, {state: x})
    graph.compile(y)
    with pytest.raises(ValueError, match=r"^state s: a training reads it and changes it, too$"):
        graph.compile(y, training=True)


def test_a_batch_is_not_cut_where_batch_norm_needs_it_as_a_whole() -> None:
    graph = Graph()
    x, w = graph.input("x", (SAMPLES, 2)), graph.parameter("w", (2,))
    loss = choose(batch_norm(w * x), w * x)
    loss = (loss * loss).mean()
    samples = np.random.default_rng(1).normal(size=(1, 100_000, 2))
    graph.parameters[:] = [[1.0, 2.0]]
    tiles = Tiles(graph, loss, training=True, differentiate=True)
    tiles.feed(x=samples)
    assert tiles.gradients().item() == pytest.approx(1, rel=1e-4)
    assert Tiles(graph, loss).size < 100_000  # an evaluation takes nothing from its batch
    tiles = Tiles(graph, loss, training=True, tile=64)
    tiles.feed(x=samples[:, :64])
    message = r"^tile: must be at least 65, the size of the batch, for batch norm .* got 64$"
    with pytest.raises(ValueError, match=message):
        tiles.feed(x=samples[:, :65])
