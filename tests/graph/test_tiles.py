"""Samples taken a tile at a time: the same means and gradients, and no more memory."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from networks import network, torch_network
from numpy.typing import NDArray

from stages.graph import SAMPLES, Graph, Tiles, accuracy, half_mse, maximum
from stages.models.network import Network
from stages.reference.losses import LOSSES

Array = NDArray[Any]

# Sums in another order. Largest differences seen, relative: 4e-16 and 4e-7.
TOLERANCE = {"float64": 1e-14, "float32": 5e-6}


def classifier(dtype: str, samples: int) -> tuple[Network, dict[str, Array]]:
    net = network([3, 8, 4], "tanh", "cross_entropy", dtype)
    random = np.random.default_rng(1)
    net.graph.parameters[:] = random.normal(size=net.graph.parameters.shape)
    x = random.normal(size=(1, samples, 3)).astype(dtype)
    return net, {"x": x, "target": random.integers(4, size=(1, samples))}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1, 37, 100, 256, 999])
def test_tiles_add_up_to_the_whole_and_to_torch(size: int, dtype: str) -> None:
    net, inputs = classifier(dtype, samples=1000)
    whole = net.graph.compile(*net.means.values(), samples=1000, differentiate=True)
    whole.feed(**inputs)
    whole.forward()
    whole.backward()
    gradients, means = net.graph.gradients.copy(), [output.item() for output in whole.outputs]

    tiles = Tiles(net.graph, *net.means.values(), differentiate=True)
    tiles.size = size
    tiles.feed(**inputs)
    assert [mean.item() for mean in tiles.forward()] == pytest.approx(means, rel=TOLERANCE[dtype])
    net.graph.gradients[:] = np.nan
    assert tiles.gradients().item() == pytest.approx(means[0], rel=TOLERANCE[dtype])
    scale = np.abs(gradients).max()
    np.testing.assert_allclose(net.graph.gradients, gradients, atol=TOLERANCE[dtype] * scale)

    model = torch_network([3, 8, 4], "tanh", dtype)
    values = net.graph.views(net.graph.parameters)
    model.load_state_dict({name: torch.tensor(value[0]) for name, value in values.items()})
    loss = LOSSES["cross_entropy"](
        model(torch.from_numpy(inputs["x"][0])), torch.from_numpy(inputs["target"][0])
    )
    loss.backward()
    assert means[0] == pytest.approx(loss.item(), rel=TOLERANCE[dtype])
    theirs = torch.cat([part.grad.reshape(-1) for part in model.parameters()]).numpy()
    np.testing.assert_allclose(net.graph.gradients[0], theirs, atol=TOLERANCE[dtype] * scale)


def test_a_batch_of_another_size_may_follow() -> None:
    net, inputs = classifier("float64", samples=100)
    tiles = Tiles(net.graph, net.loss, differentiate=True)
    tiles.size = 32
    for samples in (100, 10, 100, 32, 33, 64, 10):
        part = {name: array[:, :samples] for name, array in inputs.items()}
        whole = net.graph.compile(net.loss, samples=samples)
        whole.feed(**part)
        whole.forward()
        tiles.feed(**part)
        assert tiles.gradients().item() == pytest.approx(whole.outputs[0].item(), rel=1e-14)
        assert tiles.forward()[0].item() == pytest.approx(whole.outputs[0].item(), rel=1e-14)


def test_parameters_may_change_between_executions() -> None:
    graph = Graph()
    w, x = graph.parameter("w", ()), graph.input("x", (SAMPLES,))
    tiles = Tiles(graph, (w * x).mean(), differentiate=True)
    tiles.size = 2
    tiles.feed(x=np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    for value in (1.0, 10.0):
        graph.parameters[:] = value
        assert tiles.forward()[0].item() == pytest.approx(3 * value)
        assert tiles.gradients().item() == pytest.approx(3 * value)
        assert graph.gradients.item() == pytest.approx(3)


def test_an_unused_parameter_has_gradient_0() -> None:
    graph = Graph()
    v, w, x = graph.parameter("v", ()), graph.parameter("w", ()), graph.input("x", (SAMPLES,))
    for mean, expected in [((v * x).mean(), [2, 0]), ((w * x).mean(), [0, 2])]:
        tiles = Tiles(graph, mean, differentiate=True)
        tiles.size = 2
        tiles.feed(x=np.array([[1.0, 2.0, 3.0]]))
        tiles.gradients()
        np.testing.assert_allclose(graph.gradients, [expected])


def test_runs_have_their_own_samples_or_share_them() -> None:
    for shared in (True, False):
        graph = Graph(runs=3)
        w, x = graph.parameter("w", ()), graph.input("x", (SAMPLES, 1))
        y = graph.input("y", (SAMPLES, 1))
        tiles = Tiles(graph, half_mse(w * x, y), differentiate=True, shared_inputs=shared)
        tiles.size = 2
        graph.parameters[:] = [[0.0], [1.0], [2.0]]
        numbers = np.arange(1.0, 6.0)[None, :, None]
        samples = numbers if shared else numbers * np.array([1.0, 1.0, 10.0])[:, None, None]
        tiles.feed(x=samples, y=np.zeros_like(samples))
        # ½ mean (w n)² and its derivative w mean n², and mean n² = 11
        factor = np.ones(3) if shared else np.array([1, 1, 100])
        np.testing.assert_allclose(tiles.gradients(), [0, 5.5, 22] * factor)
        np.testing.assert_allclose(graph.gradients[:, 0], [0, 11, 22] * factor)


@pytest.mark.parametrize("size", [2, 100])
@pytest.mark.parametrize("targets", [1, 4, 6])
def test_as_many_samples_of_one_input_as_of_another(targets: int, size: int) -> None:
    graph = Graph()
    x, y = graph.input("x", (SAMPLES, 1)), graph.input("y", (SAMPLES, 1))
    tiles = Tiles(graph, half_mse(x, y))
    tiles.size = size
    with pytest.raises(ValueError, match=r"\by\b"):
        execute(tiles, x=np.zeros((1, 5, 1)), y=np.zeros((1, targets, 1)))


def execute(tiles: Tiles, **inputs: Array) -> list[Array]:
    tiles.feed(**inputs)
    return tiles.forward()


@pytest.mark.parametrize("runs", [1, 8])
def test_the_tile_does_not_depend_on_the_runs(runs: int) -> None:
    one, many = (network([2, 10, 2], "relu", "cross_entropy", runs=count) for count in (1, runs))
    assert Tiles(many.graph, many.loss).size == Tiles(one.graph, one.loss).size


def test_memory_does_not_grow_with_the_samples() -> None:
    peaks = []
    for samples in (100_000, 400_000):
        net, inputs = classifier("float32", samples)
        tiles = Tiles(net.graph, net.loss, differentiate=True)
        assert tiles.size < samples
        tracemalloc.start()
        try:
            tiles.feed(**inputs)
            tiles.gradients()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # A program for the tiles and one for what is left over. The hidden layer alone, of all samples
    # at once, would take 3.2 and 12.8 MB.
    assert max(peaks) < 2.5e6


def test_a_mean_that_no_parameter_moves_has_a_value_for_every_run() -> None:
    graph = Graph(runs=3)
    x = graph.input("x", (SAMPLES,))
    tiles = Tiles(graph, maximum(x, 0.0).mean(), shared_inputs=True)
    tiles.feed(x=np.array([[-1.0, 3.0]]))
    np.testing.assert_array_equal(tiles.forward()[0], [1.5, 1.5, 1.5])


def test_an_accuracy_of_1_in_every_tile_is_1_of_all() -> None:
    graph = Graph()
    logits, labels = graph.input("x", (SAMPLES, 2)), graph.input("k", (SAMPLES,), np.int64)
    for samples in (10, 160, 1600):
        tiles = Tiles(graph, accuracy(logits, labels), tile=7)
        tiles.feed(x=np.eye(2)[None, [1] * samples], k=np.ones((1, samples), np.int64))
        assert tiles.forward()[0].tolist() == [1]
