"""A step of a convolutional net on each side, on the same samples from the same start."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stages.graph import (
    SAMPLES,
    Graph,
    Node,
    Tiles,
    conv2d,
    cross_entropy,
    flatten,
    max_pool2d,
    relu,
)
from stages.optim import SGD

Step = Callable[[], object]

CLASSES, LR = 10, 0.02

# For each convolution the channels, the size of its windows and its padding; then the widths of the
# linear layers between the last image and the classes.
SMALL = (((8, 3, 1), (16, 3, 1)), ())
LENET = (((6, 5, 2), (16, 5, 0)), (120, 84))
Net = tuple[tuple[tuple[int, int, int], ...], tuple[int, ...]]


def torch_net(net: Net, size: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 1
    for out, kernel, padding in net[0]:
        layers += [nn.Conv2d(channels, out, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2)]
        channels, size = out, (size + 2 * padding - kernel + 1) // 2
    layers.append(nn.Flatten())
    features = channels * size * size
    for width in net[1]:
        layers += [nn.Linear(features, width), nn.ReLU()]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, CLASSES))


def graph_net(model: nn.Sequential, size: int, runs: int) -> tuple[Graph, Node]:
    """The same layers on a graph, and the loss."""
    graph = Graph(runs, np.float32)
    p = {name: graph.parameter(name, tuple(v.shape)) for name, v in model.named_parameters()}
    y = graph.input("x", (SAMPLES, 1, size, size))
    for position, layer in enumerate(model):
        weight, bias = (p.get(f"{position}.{name}") for name in ("weight", "bias"))
        if isinstance(layer, nn.Conv2d):
            y = conv2d(y, weight, bias, padding=layer.padding)
        elif isinstance(layer, nn.Linear):
            y = y @ weight.T + bias
        else:
            y = {nn.ReLU: relu, nn.MaxPool2d: lambda y: max_pool2d(y, 2), nn.Flatten: flatten}[
                type(layer)
            ](y)
    return graph, cross_entropy(y, graph.input("target", (SAMPLES,), np.int64))


def image_samples(size: int, batch: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    random = np.random.default_rng(1)
    x = random.standard_normal((batch, 1, size, size), np.float32)
    return x, random.integers(CLASSES, size=batch)


def image_steps(net: Net, size: int, batch: int, runs: int) -> tuple[Step, Step]:
    """A step of all runs at once in NumPy, and of one after the other in torch."""
    torch.manual_seed(1)
    models = [torch_net(net, size) for _ in range(runs)]
    x, target = image_samples(size, batch)
    graph, loss = graph_net(models[0], size, runs)
    for name, values in graph.views(graph.parameters).items():
        values[:] = [model.state_dict()[name] for model in models]
    tiles = Tiles(graph, loss, differentiate=True, shared_inputs=True)
    update = SGD(LR)

    def numpy_step() -> NDArray[np.float32]:
        tiles.feed(x=x[None], target=target[None])
        losses = np.array(tiles.gradients())
        update(graph.parameters, graph.gradients)
        return losses

    optimizers = [torch.optim.SGD(model.parameters(), LR) for model in models]
    criterion = nn.functional.cross_entropy

    def torch_step() -> list[float]:
        losses = []
        for model, optimizer in zip(models, optimizers, strict=True):
            value = criterion(model(torch.from_numpy(x)), torch.from_numpy(target))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            losses.append(value.item())
        return losses

    return numpy_step, torch_step
