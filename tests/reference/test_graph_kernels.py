"""Models in torch whose kernels are the graph's: whole trainings are equal in every bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stages import graph
from stages.graph import SAMPLES, Graph, Node
from stages.reference.graph_kernels import GraphKernels, evaluated, laid_out, operation

FEATURES, CLASSES = 36, 3


def parameter(x: Node, name: str, *shape: int) -> Node:
    return x.graph.parameter(name, shape)


def linear(x: Node, name: str, outputs: int) -> Node:
    weight = parameter(x, f"{name}.weight", outputs, int(x.shape[-1]))
    return x @ weight.T + parameter(x, f"{name}.bias", outputs)


def affine(x: Node, name: str, size: int) -> tuple[Node, Node]:
    return parameter(x, f"{name}.weight", size), parameter(x, f"{name}.bias", size)


def residual(x: Node) -> Node:
    h = linear(x, "0", 8)
    h = graph.layer_norm(h, (8,), *affine(h, "1", 8))
    h = h + graph.relu(linear(h, "2", 8)) * 0.5
    h = graph.group_norm(h, 2, *affine(h, "3", 8))
    return linear(graph.tanh(h) / 2 - h * h, "4", CLASSES)


class Residual(nn.ModuleList):
    def __init__(self) -> None:
        norm, groups = nn.LayerNorm(8), nn.GroupNorm(2, 8)
        linear = [nn.Linear(FEATURES, 8), nn.Linear(8, 8), nn.Linear(8, CLASSES)]
        super().__init__([linear[0], norm, linear[1], groups, linear[2]])

    def forward(self, x: Tensor) -> Tensor:
        h = self[1](self[0](x))
        h = self[3](h + torch.relu(self[2](h)) * 0.5)
        return self[4](torch.tanh(h) / 2 - h * h)  # type: ignore[no-any-return]


def batch_normalized(x: Node) -> Node:
    h = linear(graph.reshape(x, (SAMPLES, 3, 12)), "0", 4)
    weight, bias = affine(h, "1", 3)
    h = graph.sigmoid(graph.batch_norm(h, weight=weight, bias=bias))
    return linear(graph.flatten(graph.permute(h, (0, 2, 1)), 1), "2", CLASSES)


class BatchNormalized(nn.ModuleList):
    def __init__(self) -> None:
        super().__init__([nn.Linear(12, 4), nn.BatchNorm1d(3), nn.Linear(12, CLASSES)])

    def forward(self, x: Tensor) -> Tensor:
        h = torch.sigmoid(self[1](self[0](x.reshape(-1, 3, 12))))
        return self[2](h.permute(0, 2, 1).flatten(1))  # type: ignore[no-any-return]


def recurrent(x: Node) -> Node:
    names = [f"0.{name}_l0" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    shapes = [(5, 12), (5, 5), (5,), (5,)]
    weights = [parameter(x, name, *shape) for name, shape in zip(names, shapes, strict=True)]
    states = graph.rnn(graph.reshape(x, (SAMPLES, 3, 12)), *weights)
    return linear(states[:, -1], "1", CLASSES)


class Recurrent(nn.ModuleList):
    def __init__(self) -> None:
        super().__init__([nn.RNN(12, 5, batch_first=True), nn.Linear(5, CLASSES)])

    def forward(self, x: Tensor) -> Tensor:
        rnn, states = self[0], []
        for step in x.reshape(-1, 3, 12).unbind(1):
            passed = rnn.bias_hh_l0
            passed = passed + states[-1] @ rnn.weight_hh_l0.T if states else passed
            states.append(torch.tanh(step @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + passed))
        return self[1](torch.stack(states, 1)[:, -1])  # type: ignore[no-any-return]


def convolutional(x: Node) -> Node:
    images = graph.reshape(x, (SAMPLES, 1, 6, 6))
    h = graph.conv2d(images, parameter(x, "0.weight", 4, 1, 3, 3), parameter(x, "0.bias", 4))
    h = graph.max_pool2d(graph.relu(h), 2)
    h = graph.conv2d(h, parameter(x, "1.weight", 6, 4, 2, 2), parameter(x, "1.bias", 6), padding=1)
    h = graph.avg_pool2d(graph.gelu(h), 3)
    return linear(graph.flatten(h, 1), "2", CLASSES)


class Convolutional(nn.ModuleList):
    def __init__(self) -> None:
        convolutions = [nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 2, padding=1)]
        super().__init__([*convolutions, nn.Linear(6, CLASSES)])

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.max_pool2d(torch.relu(self[0](x.reshape(-1, 1, 6, 6))), 2)
        h = nn.functional.avg_pool2d(nn.functional.gelu(self[1](h)), 3)
        return self[2](h.flatten(1))  # type: ignore[no-any-return]


def transformer(x: Node) -> Node:
    """Of the first 6 features, which become words and their places."""
    size, times = 8, 6
    words = parameter(x, "0.weight", 5, size)
    h = graph.reshape(x[:, :times], (SAMPLES, times, 1)) * words[0]
    h = h + parameter(x, "1.weight", times, size)
    normed = graph.layer_norm(h, (size,), *affine(x, "2", size))
    parts = graph.reshape(linear(normed, "3", 3 * size), (SAMPLES, times, 3, 2, size // 2))
    query, key, value = (graph.permute(parts[:, :, part], (0, 2, 1, 3)) for part in range(3))
    heads = graph.scaled_dot_product_attention(query, key, value, is_causal=True)
    joined = graph.reshape(graph.permute(heads, (0, 2, 1, 3)), (SAMPLES, times, size))
    h = h + linear(joined, "4", size)
    normed = graph.layer_norm(h, (size,), *affine(x, "5", size))
    h = h + linear(graph.gelu(linear(normed, "6", 12)), "7", size)
    return linear(h[:, -1], "8", CLASSES)


class Transformer(nn.ModuleList):
    def __init__(self) -> None:
        embeddings = [nn.Embedding(5, 8), nn.Embedding(6, 8)]
        attention = [nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)]
        rest = [nn.LayerNorm(8), nn.Linear(8, 12), nn.Linear(12, 8), nn.Linear(8, CLASSES)]
        super().__init__([*embeddings, *attention, *rest])

    def forward(self, x: Tensor) -> Tensor:
        h = x[:, :6].reshape(-1, 6, 1) * self[0].weight[0] + self[1].weight
        parts = self[3](self[2](h)).reshape(-1, 6, 3, 2, 4)
        query, key, value = (parts[:, :, part].permute(0, 2, 1, 3) for part in range(3))
        attend = nn.functional.scaled_dot_product_attention
        heads = attend(query, key, value, is_causal=True)
        h = h + self[4](heads.permute(0, 2, 1, 3).reshape(-1, 6, 8))
        h = h + self[7](nn.functional.gelu(self[6](self[5](h))))
        return self[8](h[:, -1])  # type: ignore[no-any-return]


MODELS: dict[str, tuple[Callable[[Node], Node], Callable[[], nn.Module]]] = {
    "residual": (residual, Residual),
    "batch_normalized": (batch_normalized, BatchNormalized),
    "recurrent": (recurrent, Recurrent),
    "convolutional": (convolutional, Convolutional),
    "transformer": (transformer, Transformer),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [2, 7, 40])
@pytest.mark.parametrize("name", MODELS)
@np.errstate(invalid="ignore")  # OpenBLAS warns where the product is right
def test_a_training_is_the_graphs_in_every_bit(name: str, samples: int, dtype: str) -> None:
    ours, theirs = MODELS[name]
    recorded = Graph(dtype=dtype)
    output = ours(recorded.input("x", (SAMPLES, FEATURES)))
    labels = recorded.input("labels", (SAMPLES,), np.int64)
    loss = graph.cross_entropy(output, labels)
    program = recorded.compile(loss, samples=samples, differentiate=True, training=True)
    module = theirs().to(getattr(torch, dtype))
    for node_name, values in recorded.views(recorded.parameters).items():
        values[0] = module.get_parameter(node_name).detach().numpy()

    random = np.random.default_rng(1)
    x = random.normal(size=(samples, FEATURES)).astype(dtype)
    k = random.integers(CLASSES, size=samples)
    program.feed(x=x[None], labels=k[None])
    inputs = laid_out(torch.from_numpy(x)), laid_out(torch.from_numpy(k))
    for _ in range(5):
        value = program.gradients().item()
        module.zero_grad()
        with GraphKernels():
            other = operation("cross_entropy", module(inputs[0]), inputs[1])
        other.backward()
        assert other.item() == value
        for node_name, gradient in recorded.views(recorded.gradients).items():
            found = module.get_parameter(node_name).grad.numpy()
            assert found.tobytes() == gradient[0].tobytes(), node_name
        recorded.parameters[:] -= 0.1 * recorded.gradients
        with torch.no_grad():
            for each in module.parameters():
                each -= 0.1 * each.grad  # type: ignore[operator]


# On two operands, (3, 4) each: what torch computes is what its name says.
CALLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "arithmetic": lambda a, b: (1 - a) * b / (2 + a**2) - (-b + 3 / (a * a + 1)) @ a.T @ b,
    "functions": lambda a, b: torch.exp(a) + torch.log(b * b + 1) + torch.sqrt(a * a + 1),
    "shapes": lambda a, b: torch.cat([a, b], 1).reshape(4, 6).transpose(0, 1)[:3].unsqueeze(1),
    "stacked": lambda a, b: torch.stack([a, b.view(3, 4)], 1).permute(2, 0, 1).flatten(1),
    "norms": lambda a, b: nn.functional.rms_norm(a, (4,)) + nn.functional.layer_norm(b, (4,)),
    "embedding": lambda a, b: nn.functional.embedding(torch.tensor([[2, 0, 2]]), a) + b[0],
    "a batch": lambda a, b: nn.functional.batch_norm(a, *(b[:2] ** 2).detach()),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_torch_computes_is_what_it_computes_itself(name: str) -> None:
    random = np.random.default_rng(1)
    found: list[list[np.ndarray[Any, Any]]] = []
    operands = random.normal(size=(2, 3, 4))
    for kernels in (True, False):
        a, b = (torch.tensor(operand, requires_grad=True) for operand in operands)
        if kernels:
            with GraphKernels():
                result = CALLS[name](a, b)
        else:
            result = CALLS[name](a, b)
        factors = np.random.default_rng(2).normal(size=tuple(result.shape))
        (result * torch.from_numpy(factors)).sum().backward()
        gradients = [0 * a if each.grad is None else each.grad for each in (a, b)]
        found.append([each.detach().numpy() for each in (result, *gradients)])
    for own, other in zip(*found, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-12)


def test_what_the_graph_has_no_formula_for_is_refused_by_name() -> None:
    a = torch.ones(3, requires_grad=True)
    with GraphKernels(), pytest.raises(TypeError, match=r"^torch's erfinv has no formula"):
        torch.erfinv(a)
    with GraphKernels():
        assert torch.erfinv(torch.zeros(3)).tolist() == [0, 0, 0]  # nothing learns from it


def test_a_wrong_derivative_is_that_of_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    a = torch.tensor([0.5], requires_grad=True)
    right = graph.operation.OPERATIONS["exp"]
    wrong = graph.operation.Operation(right.shape, right.value, lambda g, y, a: g * 3)
    monkeypatch.setitem(graph.operation.OPERATIONS, "exp", wrong)
    evaluated(graph.exp, a).sum().backward()
    assert a.grad is not None
    assert a.grad.item() == 3
